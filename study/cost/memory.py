"""Measures the peak memory of a block of code.

On a CUDA device it is the allocated memory; on a CPU it is the growth of the resident set. The bench uses it.
"""

import ctypes
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import torch

#: What `PeakMemory.bytes` measures, by device type.
MEMORY_KIND = {
    "cpu": "growth of the process's resident set",
    "cuda": "allocated on the device, images included",
}


class PeakMemory:
    """`with PeakMemory(device) as peak: work()` sets `peak.bytes`. It is None if the system cannot measure it."""

    bytes: int | None = None

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def __enter__(self) -> "PeakMemory":
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            self._before = _start_resident_peak()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._device.type == "cuda":
            self.bytes = torch.cuda.max_memory_allocated(self._device)
        elif self._before is not None:
            self.bytes = max(0, _resident("VmHWM") - self._before)


def _start_resident_peak() -> int | None:
    """The bytes resident now, after a reset of the peak counter; None if the system is not Linux or refuses."""
    # Memory that was freed but not returned to the system would be used again without being counted, so it is
    # returned first. Other C libraries have no such call.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return _resident("VmRSS")
    except OSError:
        return None


def _resident(what: str) -> int:
    """A value of `/proc/self/status`, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))
