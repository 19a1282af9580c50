"""The share of a GPU for each trial under `gpus_per_trial = "auto"`, from recorded or measured peak memory.

A launch computes the shares before it sends stacks to workers. Each share is 1 / n for a whole number n, so that n
trials of a kind fill a GPU. This module has not run on a GPU so far.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study.cost.model import CostModel, memory_key
from study.errors import StudyError
from trainables.config import TrialConfig
from trainables.own_code import spawned_processes
from trainables.runtime import Runtime
from trainables.work import Stack

#: The share includes this fraction on top of the peak memory, because the allocator keeps freed memory in fragments.
HEAD_ROOM = 0.25

#: Bytes of GPU memory that a process uses besides its tensors: the CUDA context and the code of the libraries.
CONTEXT_BYTES = 600 * 2**20

#: The most trials on one GPU. More trials would slow each other down instead of using the GPU better.
_MOST_A_CARD = 16

#: Ray counts GPU shares in units of 1 / 10,000.
_GRAIN = 10_000

#: The number of steps over which memory is measured.
_STEPS = 3

#: Computes, for each of several stacks, the number of GPUs that a worker requests while it runs the stack.
SharesOf = Callable[[Sequence[Stack]], list[float]]

#: Runs a function with picklable arguments in a process with access to a GPU.
OnGpu = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Card:
    """The name and the memory of the GPU on which a process measures."""

    name: str
    bytes: int


class AutoShares:
    """A `SharesOf` callable. It inspects the GPU and measures memory when a kind of trial is not known yet."""

    def __init__(self, costs: CostModel, runtime: Runtime, on_gpu: OnGpu) -> None:
        self._costs, self._runtime, self._on_gpu = costs, runtime, on_gpu
        self._shares: dict[str, float] = {}
        self._card: Card | None = None

    def __call__(self, stacks: Sequence[Stack]) -> list[float]:
        """The share of each stack. Raises `StudyError` if a share cannot be determined."""
        keys = [memory_key(stack[0].config) for stack in stacks]
        wanted = {
            key: stack[0].config for key, stack in zip(keys, stacks, strict=True) if key not in self._shares
        }
        if wanted:
            self._shares |= self._find(wanted)
        return [self._shares[key] for key in keys]

    def _find(self, configs: Mapping[str, TrialConfig]) -> dict[str, float]:
        try:
            card = self._card = self._card or self._on_gpu(look_at_card)
            past = self._costs.peaks.get(card.name, {})
            peaks = {key: past[key] for key in configs if key in past}
            new = {key: config for key, config in configs.items() if key not in past}
            if new:
                peaks |= self._on_gpu(measure_peaks, new, self._runtime)
        except StudyError:
            raise
        except Exception as error:
            line = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise StudyError(
                f"resources.gpus_per_trial: got auto, and memory could not be measured ({line}); give a share"
            ) from error
        return shares_of(peaks, card.bytes)


def shares_of(peaks: Mapping[str, int], card_bytes: float) -> dict[str, float]:
    """The share for each `memory_key`. Raises `StudyError` for trials that do not fit on a GPU."""
    try:
        return {key: gpu_share(peak, card_bytes) for key, peak in peaks.items()}
    except ValueError as error:
        raise StudyError(f"resources.gpus_per_trial: {error}; take a smaller batch size") from error


def gpu_share(peak_bytes: float, card_bytes: float) -> float:
    """The share, 1 / n rounded down, of a GPU with `card_bytes` for a trial with this peak memory.

    n is the largest number of trials that fit on the GPU together, and at most 16. Each trial needs its peak memory,
    a quarter more as head-room, and the context of its process. n is 1 if a trial needs more than half of the GPU.
    Raises `ValueError` if not even one trial fits.
    """
    need = peak_bytes * (1 + HEAD_ROOM) + CONTEXT_BYTES
    trials = min(_MOST_A_CARD, int(card_bytes // need))
    if not trials and peak_bytes + CONTEXT_BYTES > card_bytes:
        raise ValueError(
            f"a trial needs {peak_bytes / 2**30:.1f} GiB and its process {CONTEXT_BYTES / 2**30:.1f}, the GPU has "
            f"{card_bytes / 2**30:.1f}"
        )
    return math.floor(_GRAIN / max(1, trials)) / _GRAIN


def in_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the function in a new process on this machine, because a process that has used a GPU keeps GPU memory."""
    with spawned_processes(1) as pool:
        return pool.submit(function, *arguments).result()


def look_at_card() -> Card:
    """The first GPU that this process may use. Raises `RuntimeError` if there is none."""
    import torch

    found = torch.cuda.get_device_properties(0)
    return Card(name=torch.cuda.get_device_name(0), bytes=found.total_memory)


def measure_peaks(configs: Mapping[str, TrialConfig], runtime: Runtime) -> dict[str, int]:
    """Peak memory of a few steps of each config, but at least that of an evaluation.

    The evaluation is measured once, with the first config.
    """
    import torch

    from study.cost.memory import PeakMemory
    from study.cost.timed_steps import run_evaluation, run_steps

    device = torch.device(runtime.device)
    peaks: dict[str, int] = {}
    runtime = dataclasses.replace(runtime, artefacts=None, curve_epochs=None)
    with PeakMemory(device) as evaluation:
        run_evaluation(next(iter(configs.values())), runtime)
    for key, config in configs.items():
        with PeakMemory(device) as steps:
            run_steps([config], _STEPS, runtime)
        peaks[key] = max(steps.bytes or 0, evaluation.bytes or 0)
    return peaks
