"""The settings of the C library's memory allocator for trials on a CPU."""

import ctypes
import sys
from functools import cache

#: `mallopt`'s numbers of its two settings in <malloc.h>.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3

#: Blocks up to this size come from the heap, and the heap keeps this much free memory at its end.
_LARGEST_ON_HEAP, _MOST_FREE = 128 * 2**20, 512 * 2**20


@cache
def keep_freed_memory() -> bool:
    """Let this process keep the memory that a training step frees; whether the C library has such a setting.

    By default, glibc returns the activations of every step to the system, and the next step pays a page fault for
    each 4 KiB of them: a seventh of the time of a step of `small_conv` at 32x32 pixels. No result changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:  # macOS, or another C library than glibc
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_ON_HEAP) and mallopt(_TRIM_THRESHOLD, _MOST_FREE))
