"""The record columns about the machine, the versions and the execution of a trial. No result may depend on them."""

import platform
import resource
import socket
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from trainables.machine import output_of, package_version, processor_name
from trainables.runtime import Runtime


def run_facts(runtime: Runtime, stack: Sequence[str] = ()) -> dict[str, Any]:
    """Columns that describe the machine, the versions and how the trial was executed. `stack` contains trial ids."""
    together = "stacked" if len(stack) > 1 else "concurrent" if runtime.concurrent else "single"
    return {
        "device": runtime.device,
        "device_name": _device_name(runtime.device),
        "threads": runtime.threads,
        "execution_mode": f"{together}:{runtime.execution}",
        "stack_size": max(1, len(stack)),
        "stack": " ".join(stack) if len(stack) > 1 else None,
        "node": socket.gethostname(),
        "python_version": platform.python_version(),
        "torch_version": torch.__version__,
        "package_version": package_version(),
        "git_revision": git_revision(),
    }


def peak_memory_bytes(device: str) -> int:
    """The highest memory use so far: allocated memory on a CUDA device, otherwise resident memory of the process."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts KiB


@lru_cache
def git_revision() -> str | None:
    """The Git revision of this package's checkout, with "+" after uncommitted changes; None outside a checkout."""
    here = Path(__file__).resolve()
    if _git(here.parent, "ls-files", "--error-unmatch", here.name) is None:
        return None  # installed inside another repository, whose revision does not describe this package
    revision = _git(here.parent, "rev-parse", "HEAD")
    changed = _git(here.parent, "status", "--porcelain", "--untracked-files=no")
    return f"{revision}{'+' if changed else ''}" if revision else None


def _git(folder: Path, *words: str) -> str | None:
    output = output_of(["git", "-C", str(folder), *words])
    return None if output is None else output.decode(errors="replace").strip()


def _device_name(device: str) -> str | None:
    """The name of the GPU or the processor; None for a GPU that this process cannot use."""
    try:
        return _known_name(device)
    except (AssertionError, RuntimeError):  # torch raises both
        return None


@lru_cache
def _known_name(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return processor_name()
