"""Refuses studies with a trial that this machine cannot hold, from shapes alone and before any trial starts.

The estimate of a trial is a lower limit, so that a study that fits is never refused.
"""

import os
from pathlib import Path

from study.console import format_bytes
from study.errors import StudyError
from study.spec.expand import TrialSet, end_trials
from study.spec.schema import StudySpec


def machine_memory() -> int:
    """The bytes of memory that this process may use: the machine's, or the limit of its container."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return machine
    return min(machine, int(limit)) if limit.isdigit() else machine


def check_memory(spec: StudySpec, trial_set: TrialSet) -> None:
    """Raise `StudyError` if a trial needs more memory than this machine, or its GPU, has."""
    searched = [
        trial for arm in trial_set.arms if arm.undecided for trial in end_trials(spec, arm, trial_set)
    ]
    tasks = {id(trial.config.task): trial.config.task for trial in [*trial_set.trials, *searched]}
    estimates = [trial_set.task.least_memory(task) for task in tasks.values()]
    largest = max(estimates, key=lambda parts: sum(parts.values()), default={})
    needed, here = sum(largest.values()), _gpu_memory() if spec.resources.gpus_per_trial else machine_memory()
    if needed > here:
        cause, part = max(largest.items(), key=lambda item: item[1])
        where = "a GPU of this machine" if spec.resources.gpus_per_trial else "this machine"
        raise StudyError(
            f"{cause}, which needs {format_bytes(part)} of memory; a trial takes {format_bytes(needed)} or more, and "
            f"{where} has {format_bytes(here)}"
        )


def _gpu_memory() -> int:
    import torch  # seconds of start-up, paid only by studies that ask for a GPU

    return int(torch.cuda.get_device_properties(0).total_memory)
