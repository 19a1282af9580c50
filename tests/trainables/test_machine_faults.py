"""Faults of the machine are recognised in the errors of Python and of libraries, and say what to do."""

import errno

import pytest

from trainables.machine_faults import fault_number, hits_all_trials, is_of_the_machine, reason_of, remedy_of


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (OSError(errno.ENOSPC, "x"), errno.ENOSPC),
        (MemoryError(), errno.ENOMEM),
        (caused(ValueError("store: cannot write"), OSError(errno.EROFS, "x")), errno.EROFS),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), errno.ENOMEM),
        (RuntimeError("can't start new thread"), errno.EAGAIN),
        (ImportError("libx.so: failed to map segment from shared object"), errno.ENOMEM),
        (ValueError("store: cannot write to s (No space left on device)"), errno.ENOSPC),
        (RuntimeError("No CUDA GPUs are available"), errno.ENODEV),
        (
            RuntimeError("CUDA error: CUDA driver version is insufficient for CUDA runtime version"),
            errno.ENODEV,
        ),
        (OSError(errno.ENOENT, "x"), None),
        (OSError(errno.ENODEV, "x"), None),
        (ValueError("loss: got 3"), None),
        (KeyError("No space left on device"), None),
    ],
)
def test_the_number_of_a_fault(error: Exception, number: int | None) -> None:
    assert fault_number(error) == number


def test_a_message_has_the_reason_and_the_remedy() -> None:
    full = OSError(errno.ENOSPC, "Error writing bytes to file. Detail: [errno 28]")
    assert reason_of(full) == "No space left on device"
    assert remedy_of(full, "choose another") == "free space on its disk, or choose another"
    assert reason_of(OSError(errno.ENOENT, "No such file")) == "No such file"
    assert remedy_of(OSError(errno.ENOENT, "No such file"), "choose another") == "choose another"
    assert reason_of(ValueError("")) == "ValueError"
    gone = RuntimeError("No CUDA GPUs are available\nmore")
    assert reason_of(gone) == "No CUDA GPUs are available"
    assert remedy_of(gone) == "check the GPU and its driver (`nvidia-smi`)"
    assert hits_all_trials(gone)


def test_the_faults_of_every_trial() -> None:
    """A lack of memory depends on the trial, and a path without access may be wrong in the study file."""
    found = {number: hits_all_trials(OSError(number, "x")) for number in (errno.ENOSPC, errno.EMFILE)}
    assert found == {errno.ENOSPC: True, errno.EMFILE: True}
    assert not hits_all_trials(MemoryError())
    assert not hits_all_trials(OSError(errno.EACCES, "x"))
    assert is_of_the_machine(MemoryError())
    assert is_of_the_machine(OSError(errno.EROFS, "x"))
