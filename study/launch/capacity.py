"""The number of workers that this machine can run. A launch that cannot run one is refused.

`study.launch.start` uses it for this machine, and `study.launch.cluster` for the nodes of a cluster.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from study.errors import StudyError
from study.launch.gpu import check_gpu
from study.spec.schema import ResourcesSection
from trainables.runtime import FUSED


def available_cpus() -> int:
    """Number of processors that this process may use, by its CPU affinity and the quota of its container, if any."""
    allowed = len(os.sched_getaffinity(0))
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return allowed
    return allowed if quota == "max" else max(1, min(allowed, int(quota) // int(period)))


def count_workers(resources: ResourcesSection, wanted: int | None) -> int:
    """The number of workers to start: `wanted`, or as many as fit on this machine if `wanted` is None.

    Raises `StudyError` if no worker fits, or fewer than `wanted`.
    """
    cpus = available_cpus()
    if resources.cpus_per_trial > cpus:
        raise StudyError(
            f"resources.cpus_per_trial: got {resources.cpus_per_trial}, this machine has {cpus} processors"
        )
    if resources.gpus_per_trial:
        check_gpu(gpus_in_words(resources))
        if resources.execution == FUSED:
            _check_triton()
    elif resources.execution == FUSED:
        _check_compiler()
    gpus = _available_gpus(resources) if resources.gpus_per_trial else 0
    fitting = worker_places(cpus, gpus, resources)
    if wanted is not None and wanted > fitting:
        raise StudyError(f"--workers: got {wanted}, this machine has room for {fitting} with these resources")
    return wanted or fitting


def worker_places(cpus: float, gpus: float, resources: ResourcesSection) -> int:
    """The number of workers that one machine can run. Trials that share a GPU run in one worker."""
    fitting, wanted = int(cpus // resources.cpus_per_trial), resources.gpus_per_worker
    return min(fitting, int(gpus // wanted)) if wanted else fitting


def gpus_in_words(resources: ResourcesSection) -> str:
    """The GPUs of one trial, as the study file writes them."""
    wanted = resources.gpus_per_trial
    return wanted if isinstance(wanted, str) else f"{wanted:g}"


def _check_compiler() -> None:
    """Raise `StudyError` unless the C function of the mode `fused` compiles here. Its trials would all fail."""
    from trainables.views.cpu_kernel import NoCompilerError, compiled  # imports torch

    try:
        compiled()
    except NoCompilerError as error:
        raise StudyError(f"resources.execution: got {FUSED}, which needs a C compiler: {error}") from error


def _check_triton() -> None:
    """Raise `StudyError` without the package that compiles the kernel of the mode `fused` for a GPU."""
    if find_spec("triton") is None:
        raise StudyError(f"resources.execution: got {FUSED}, which needs the package triton on a GPU")


def _available_gpus(resources: ResourcesSection) -> int:
    import torch  # seconds of start-up, paid only by studies that ask for a GPU

    count = torch.cuda.device_count()
    if count < resources.gpus_per_worker:
        raise StudyError(
            f"resources.gpus_per_trial: got {gpus_in_words(resources)}, this machine has {count} usable GPUs"
        )
    return count
