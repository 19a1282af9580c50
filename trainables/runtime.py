"""The operational options of a run, which are not part of a trial's identity, and the exceptions that end a trial."""

from dataclasses import dataclass
from pathlib import Path

from trainables.early_stopping import EarlyStopping

#: How a training step runs; see `trainables.training.execution`.
FUSED = "fused"
EXECUTIONS = ("eager", FUSED, "compiled", "graphed", "compiled_graphed")

#: What a study file may request. `AUTO` is resolved by `chosen_execution`.
AUTO = "auto"
EXECUTION_CHOICES = (AUTO, *EXECUTIONS)

#: What `auto` means on CUDA: the mode that the summary of `tests.benchmarks.bench_gpu` names, after its checks have
#: passed on a real card.
AUTO_ON_CUDA = "eager"

#: The most trials of a group if memory decides its size. An estimate from the kernels of a step is that 4 to 8 fill a
#: GPU. Not measured.
MOST_AT_ONCE = 8


def chosen_execution(requested: str, device: str) -> str:
    """The execution mode that a study's setting means on a device."""
    if requested != AUTO:
        return requested
    return AUTO_ON_CUDA if device.startswith("cuda") else "eager"


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """How and where a trial runs. Workers and `study trial` use equally many threads, so their records agree."""

    device: str = "cpu"
    threads: int = 1
    data_root: Path | None = None
    execution: str = EXECUTIONS[0]
    execution_may_change: bool = False  # whether a mode that does not work here is replaced by another
    keep_encoders: bool = False
    curve_epochs: int | None = None  # epochs between two points of the learning curves; None for no curves
    curve_points: int | None = None  # sphere trials: gap curve's points per decade of steps; None: none
    keep_embeddings: bool = False  # sphere trials: whether to keep the final embeddings
    concurrent: bool = False  # whether other trials may run on the device at the same time
    time_limit: float | None = None  # seconds for each trial; None for no limit
    checkpoint_seconds: float = 120.0  # seconds between two checkpoints
    early_stopping: EarlyStopping | None = None  # the rule of the search to which a single trial belongs
    artefacts: Path | None = None  # folder of checkpoints, kept encoders and curves; None to write none


class Diverged(ArithmeticError):
    """Training produced a number that is not finite. This is a result, not a failure."""


class Pruned(Exception):
    """Early stopping ended the trial. This is neither a result nor a failure."""


class TimedOutError(TimeoutError):
    """A trial exceeded its time limit."""


class StackFailedError(RuntimeError):
    """The training of a stack failed. Running each trial alone shows which one is the cause."""
