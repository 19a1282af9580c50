"""What share of a GPU a trial asks for under `gpus_per_trial = "auto"`: from peak memory, recorded or measured.

A launch asks for the shares before it hands lists to workers. Shares are one over a whole number, so that so many
trials of a kind fill a card. Never run on a GPU so far.
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

#: A trial is given its peak memory and so much more: the allocator keeps what it has freed, in pieces.
HEAD_ROOM = 0.25

#: Bytes of a card that a process takes beside its tensors: the CUDA context and the libraries' code.
CONTEXT_BYTES = 600 * 2**20

#: More trials than this slow one another on a card rather than fill it.
_MOST_A_CARD = 16

#: Ray counts shares in ten-thousandths.
_GRAIN = 10_000

#: Steps over which memory is measured.
_STEPS = 3

#: The GPUs that a worker asks for while it runs each of some stacks.
SharesOf = Callable[[Sequence[Stack]], list[float]]

#: Runs a function of picklable arguments where a GPU is.
OnGpu = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Card:
    """A GPU, as the process sees it that measures."""

    name: str
    bytes: int


class AutoShares:
    """Callable as `SharesOf`; looks at the GPU and measures when a kind of trial is asked for that is not known."""

    def __init__(self, costs: CostModel, runtime: Runtime, on_gpu: OnGpu) -> None:
        self._costs, self._runtime, self._on_gpu = costs, runtime, on_gpu
        self._shares: dict[str, float] = {}
        self._card: Card | None = None

    def __call__(self, stacks: Sequence[Stack]) -> list[float]:
        """The share of each stack. Raises `StudyError` where one cannot be found."""
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
    """The share for each `memory_key`. Raises `StudyError` for one that no card has room for."""
    try:
        return {key: gpu_share(peak, card_bytes) for key, peak in peaks.items()}
    except ValueError as error:
        raise StudyError(f"resources.gpus_per_trial: {error}; take a smaller batch size") from error


def gpu_share(peak_bytes: float, card_bytes: float) -> float:
    """The share of a card of `card_bytes` that a trial of this peak memory asks for: 1 / n, rounded down.

    n is the largest number of trials whose needs fit on the card together, the context of each process and a
    head-room of a quarter included, and at most 16; 1 where one needs more than half. Raises `ValueError` where not
    one fits.
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
    """Call it in a process of its own on this machine: one that has looked at a GPU keeps memory of it."""
    with spawned_processes(1) as pool:
        return pool.submit(function, *arguments).result()


def look_at_card() -> Card:
    """The first GPU that this process may use. Raises `RuntimeError` where there is none."""
    import torch

    found = torch.cuda.get_device_properties(0)
    return Card(name=torch.cuda.get_device_name(0), bytes=found.total_memory)


def measure_peaks(configs: Mapping[str, TrialConfig], runtime: Runtime) -> dict[str, int]:
    """Peak memory of a few steps of each, and at least that of an evaluation, which all have in common."""
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
