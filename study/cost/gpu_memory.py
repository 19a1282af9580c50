"""Decides the GPU shares of a launch: peak memory from past records, or measured on a GPU over a few steps."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study.cost.gpu_share import SharesOf, memory_key, past_peaks, shares_of
from study.errors import StudyError
from study.loaded import LoadedStudy
from trainables.config import TrialConfig
from trainables.own_code import spawned_processes
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.work import Stack

_STEPS = 3

#: Runs a function of picklable arguments where a GPU is.
OnGpu = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Card:
    """A GPU, as the process sees it that measures."""

    name: str
    bytes: int


class AutoShares:
    """Callable as `SharesOf`; looks at the GPU and measures when a kind of trial is asked for that is not known."""

    def __init__(self, store: RecordStore, runtime: Runtime, on_gpu: OnGpu) -> None:
        self._store, self._runtime, self._on_gpu = store, runtime, on_gpu
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
            past = past_peaks(
                self._store.read().table, device_name=card.name, execution=self._runtime.execution
            )
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


def launch_shares(loaded: LoadedStudy, address: str | None) -> float | SharesOf:
    """What the trials of a study ask for, on this machine or on the cluster at `address`."""
    wanted, on_gpu = loaded.study_file.spec.resources.gpus_per_trial, in_own_process
    if wanted != "auto":
        return wanted
    if address is not None:
        from study.launch.runners.ray_nodes import on_gpu_node as on_gpu  # imports Ray
    return AutoShares(loaded.store, loaded.context.runtime, on_gpu)


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

    from study.bench.memory import PeakMemory
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
