"""Operational choices of a run, none of which is part of a trial's identity, and how a trial says it diverged."""

from dataclasses import dataclass
from pathlib import Path

from trainables.early_stopping import EarlyStopping


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Where a trial runs. Workers and `study trial` use the same threads, so that their records agree."""

    device: str = "cpu"
    threads: int = 1
    data_root: Path | None = None
    execution: str = "eager"  # eager | compiled | graphed | compiled_graphed
    keep_encoders: bool = False
    curve_epochs: int | None = None  # epochs from one point of the learning curves to the next, None for none
    curve_points: int | None = (
        None  # of sphere trials: points of the gap curve a decade of steps, None for none
    )
    keep_embeddings: bool = False  # of sphere trials
    time_limit: float | None = None  # seconds of a trial, None for no limit
    checkpoint_seconds: float = 120.0  # from one checkpoint to the next
    early_stopping: EarlyStopping | None = None  # of the search that a single trial runs for
    artefacts: Path | None = (
        None  # where checkpoints, kept encoders and learning curves lie; None for none of them
    )


class Diverged(ArithmeticError):
    """Training left the finite numbers: a result, not a fault."""


class Pruned(Exception):
    """Early stopping ended the trial: no result, and no fault."""


class TimedOutError(TimeoutError):
    """A trial took longer than it may."""


class StackFailedError(RuntimeError):
    """Trials that were trained as one failed together: who is at fault shows when each runs alone."""
