"""Memory that a step frees stays with the process. Measured in a process of its own, as the setting lasts."""

import ctypes
import subprocess
import sys

import pytest

#: Fills and frees two blocks of 16 MiB again and again, and prints the page faults of the last 16 times.
_PROGRAM = """
import ctypes, resource, sys
from trainables.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory() and keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
def pair():
    blocks = [libc.malloc(2**24) for _ in range(2)]
    for block in blocks:
        ctypes.memset(block, 1, 2**24)
    for block in blocks:
        libc.free(block)
for _ in range(16):
    pair()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(16):
    pair()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="needs glibc")
def test_memory_that_was_freed_is_used_again_without_page_faults() -> None:
    kept, returned = (
        int(subprocess.run([sys.executable, "-c", _PROGRAM, way], capture_output=True, check=True).stdout)
        for way in ("kept", "returned")
    )
    assert kept < returned / 10  # of pages of 4 KiB, two blocks have 8,192
