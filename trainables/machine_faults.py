"""Faults of the machine: a full or read-only disk, no permission, no file descriptors, no memory, no GPU.

A fault of the machine is not a result of a trial, and not a fault of the program. A message about it says what to do.
This module imports only the standard library.
"""

import errno
import os

#: What to do about a fault, by its error number.
_REMEDIES = {
    errno.ENOSPC: "free space on its disk",
    errno.EDQUOT: "free space in your quota",
    errno.EFBIG: "raise the limit of file sizes (`ulimit -f`)",
    errno.EROFS: "make its disk writable",
    errno.EACCES: "get access to it",
    errno.EPERM: "get access to it",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "end other programs, since this machine has no more open files",
    errno.ENOMEM: "free memory, or use fewer workers",
    errno.EAGAIN: "raise the limit of processes (`ulimit -u`), or use fewer workers",
    errno.EIO: "check its disk",
    errno.ESTALE: "check its disk",
    errno.ENODEV: "check the GPU and its driver (`nvidia-smi`)",
}

#: Faults of a path that the user may have chosen wrongly.
_OF_A_PATH = frozenset({errno.EACCES, errno.EPERM})

#: Words in messages of libraries that report a fault of the machine by an exception of another class.
_WORDS = {
    **{
        os.strerror(number): number
        for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
    },
    "can't start new thread": errno.EAGAIN,
    "DefaultCPUAllocator": errno.ENOMEM,
    "failed to map segment": errno.ENOMEM,  # of a shared library
    "std::bad_alloc": errno.ENOMEM,
    # A GPU that is not there, is gone, or does not work with this driver or this torch.
    "No CUDA GPUs are available": errno.ENODEV,
    "Found no NVIDIA driver": errno.ENODEV,
    "NVIDIA driver on your system is too old": errno.ENODEV,
    "no CUDA-capable device is detected": errno.ENODEV,
    "CUDA driver initialization failed": errno.ENODEV,
    "CUDA driver version is insufficient": errno.ENODEV,
    "busy or unavailable": errno.ENODEV,
    "no kernel image is available": errno.ENODEV,
}


def fault_number(error: BaseException) -> int | None:
    """The error number of the machine's fault that caused `error`; None if it has another cause."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return errno.ENOMEM
        if isinstance(cause, OSError) and cause.errno in _REMEDIES and cause.errno != errno.ENODEV:
            return cause.errno  # ENODEV of a file does not mean the GPU
        if isinstance(cause, (ImportError, OSError, RuntimeError, SystemError, ValueError)):
            for words, number in _WORDS.items():
                if words in str(cause):
                    return number
        cause = cause.__cause__
    return None


def is_of_the_machine(error: BaseException) -> bool:
    """Whether the machine alone caused the error. A path without access may also be a wrong choice of the user."""
    number = fault_number(error)
    return number is not None and number not in _OF_A_PATH


def hits_all_trials(error: BaseException) -> bool:
    """Whether every other trial would meet the same fault, except for memory, which depends on the trial."""
    number = fault_number(error)
    return number is not None and number not in (errno.ENOMEM, errno.EAGAIN, errno.EACCES, errno.EPERM)


def reason_of(error: BaseException) -> str:
    """The fault in the system's words, such as "No space left on device"; else the first line of the message."""
    said = (error.strerror if isinstance(error, OSError) else None) or ""
    number = fault_number(error)
    # For a GPU, the library's message says more.
    if number not in (None, errno.ENODEV) and os.strerror(number) not in said:
        return os.strerror(number)
    said = said or str(error)
    return (said.splitlines() or [type(error).__name__])[0]


def remedy_of(error: BaseException, otherwise: str = "") -> str:
    """What the user can do about the fault, and `otherwise` after it. For an unknown fault, only `otherwise`."""
    number = fault_number(error)
    ways = [*([_REMEDIES[number]] if number is not None else []), *([otherwise] if otherwise else [])]
    return ", or ".join(ways)
