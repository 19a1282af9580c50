"""The GPU memory that trials need, measured in this process. `trainables.concurrent` uses it."""

import dataclasses
import gc
import logging
import math
from collections.abc import Callable, Sequence
from contextlib import suppress

import torch

from trainables.config import ImagesTask, TrialConfig, canonical_json
from trainables.device_faults import is_out_of_gpu_memory
from trainables.runtime import Runtime
from trainables.training.execution import usable
from trainables.trial import TASK_KINDS, ignore_report, refuse_fault
from trainables.turns import finish

_log = logging.getLogger(__name__)

#: Steps of the short training by which memory is measured.
_STEPS = 2

#: The part of the free memory that a group uses. The allocator keeps freed memory in fragments.
_SAFETY = 0.8


class NeededMemory:
    """The bytes of GPU memory that trials need at the same time. Each kind of trial is measured when it is needed."""

    def __init__(self) -> None:
        self._bytes: dict[str, int] = {}  # by `memory_key`
        # The fewest trials beside which a kind of trial ran out of memory while it was measured, by `memory_key`.
        self._failed_beside: dict[str, int] = {}

    def must_measure(self, configs: Sequence[TrialConfig]) -> bool:
        """Whether `of` measures a trial."""
        keys = {memory_key(config) for config in configs}
        if any(self._fails(key, len(configs) - 1) for key in keys):
            return False
        return not keys <= self._bytes.keys()

    def of(self, configs: Sequence[TrialConfig], measure: Callable[[TrialConfig], int | None]) -> float:
        """The bytes of these trials. All but one of them run now.

        `measure` returns the bytes of one trial, or None if it ran out of memory. The result is then infinite, also
        in later calls with at least as many trials.
        """
        return sum(self._of_one(config, len(configs) - 1, measure) for config in configs)

    def _of_one(
        self, config: TrialConfig, others: int, measure: Callable[[TrialConfig], int | None]
    ) -> float:
        key = memory_key(config)
        if self._fails(key, others):
            return math.inf
        if key not in self._bytes:
            measured = measure(config)
            if measured is None:
                self._failed_beside[key] = others
                return math.inf
            self._bytes[key] = measured
        return self._bytes[key]

    def _fails(self, key: str, others: int) -> bool:
        return self._failed_beside.get(key, math.inf) <= others


def usable_memory(device: str) -> float:
    """The bytes of a GPU that trials may use: of those that are free and those that this process has reserved."""
    free, _ = torch.cuda.mem_get_info(device)
    return _SAFETY * (free + torch.cuda.memory_reserved(device))


def free_unused_memory() -> None:
    """Give the memory of trials that have ended back to the device."""
    gc.collect()
    with suppress(RuntimeError):  # of a device that has failed, which another call reports
        torch.cuda.empty_cache()


def measure_memory(config: TrialConfig, runtime: Runtime) -> int:
    """The bytes of GPU memory that a trial takes from the device: its warm-up, some steps and its evaluation.

    They include one round of its batch selection. Raises for a lack of memory, and for a fault that every trial would
    meet.
    """
    runtime = usable(dataclasses.replace(runtime, artefacts=None, curve_epochs=None, early_stopping=None))
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(runtime.device)
    before = torch.cuda.memory_reserved(runtime.device)
    try:
        (stages,) = finish(TASK_KINDS[config.task.kind].run([_short(config)], runtime, ignore_report))
        for _ in stages:
            pass
    except Exception as error:
        if is_out_of_gpu_memory(error):
            raise
        refuse_fault(error)
        # The trial itself will record it.
        _log.warning("the trial failed, so its memory was measured only until then: %s", error)
    return max(1, torch.cuda.max_memory_reserved(runtime.device) - before)


def memory_key(config: TrialConfig) -> str:
    """Equal for trials that need about the same memory. Losses count as equal: the network needs most of it."""
    task = _short(config).task
    return canonical_json(dataclasses.replace(task, training=dataclasses.replace(task.training, lr=1.0)))


def _short(config: TrialConfig) -> TrialConfig:
    task = TASK_KINDS[config.task.kind].shorten(config.task, _STEPS, None)
    if isinstance(config.task, ImagesTask):
        # Shortened for timing, it would have shuffled batches, and would not measure an epoch.
        training = dataclasses.replace(task.training, evaluated_epoch=config.task.training.evaluated_epoch)
        # The epochs of probes cost time but no memory.
        probe = dataclasses.replace(task.probe, sgd_epochs=1, adam_epochs=1)
        task = dataclasses.replace(task, selection=config.task.selection, training=training, probe=probe)
    return dataclasses.replace(config, task=task)
