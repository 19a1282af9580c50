"""The GPU memory that a trial needs, measured in this process. `trainables.concurrent` uses it."""

import dataclasses
import logging

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
        _log.warning("the memory of a trial is that until it failed: %s", error)
    return max(1, torch.cuda.max_memory_reserved(runtime.device) - before)


def memory_key(config: TrialConfig) -> str:
    """Equal for trials that need about the same memory. Losses count as equal: the network needs most of it."""
    task = _short(config).task
    return canonical_json(dataclasses.replace(task, training=dataclasses.replace(task.training, lr=1.0)))


def _short(config: TrialConfig) -> TrialConfig:
    task = TASK_KINDS[config.task.kind].shorten(config.task, _STEPS, None)
    if isinstance(config.task, ImagesTask):
        # Shortened for timing, it would have shuffled batches.
        task = dataclasses.replace(task, selection=config.task.selection)
    return dataclasses.replace(config, task=task)
