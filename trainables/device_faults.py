"""Faults of a GPU: a lack of its memory, and errors after which CUDA no longer works in this process."""

from collections.abc import Iterator

#: Words of CUDA, its libraries and compilers for a lack of GPU memory: a context, a workspace, or a program. The
#: compiler of torch quotes the error of torch's allocator.
_OUT_OF_MEMORY = (
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUDA driver error: out of memory",
    "Triton Error [CUDA]: out of memory",
    "CUDA_ERROR_OUT_OF_MEMORY",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUSOLVER_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
)

#: What cuDNN says if no algorithm works: the memory is short, or the layer is one that it does not have.
_NO_ALGORITHM = "unable to find an engine to execute this computation"


class DeviceLostError(RuntimeError):
    """CUDA has failed in this process for good. Only a new process can use the GPU again, if any can."""


def is_out_of_gpu_memory(error: BaseException) -> bool:
    """Whether GPU memory ran out: in torch's allocator, or where CUDA or one of its libraries takes memory itself.

    The lack of memory may have caused the error, or it was there when the error was raised.
    """
    return any(_says_out_of_memory(each) for each in _chain(error))


def may_be_out_of_gpu_memory(message: str) -> bool:
    """Whether a lack of GPU memory is one of the causes that an error with this message can have."""
    return _NO_ALGORITHM in message


def _says_out_of_memory(error: BaseException) -> bool:
    import torch

    said = isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)
    return said or isinstance(error, torch.OutOfMemoryError)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that its traceback shows before it."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def refuse_lost_device(error: BaseException) -> None:
    """Raise `DeviceLostError` if `error` has left CUDA unusable in this process.

    After one, such as an illegal memory access, every later call fails too. So a trial that meets it says nothing
    about the trials after it, which must run in another process.
    """
    import torch

    if not torch.cuda.is_initialized():
        return
    try:
        torch.cuda.synchronize()
    except RuntimeError as later:
        if _says_out_of_memory(later):  # no memory for a context, which may come back
            return
        said = (str(error).strip() or str(later)).splitlines()[0]
        raise DeviceLostError(said) from error
