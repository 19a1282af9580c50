"""The disk cache of decoded images, used by `decoding`.

Each distinct content is one uint8 array. A machine decodes it once, and every process maps it into memory.

`images/KEY.npy` in the cache directory is a .npy file with a seal after the array: the array's hash, and the
time of the last write. A process writes the file under a temporary name and renames it when it is complete, so
there is never an incomplete file. A lock guards the write; the system releases it when its holder dies.

If size, header and time of the file are as expected, the file is used without further checks. A copied file has
another time; then the hash is computed, which takes about a second per GB. This detects truncation and every
ordinary write, and the file is written again. It does not detect a change that also restores the time of the
last write.
"""

import fcntl
import hashlib
import io
import math
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from trainables.atomic import TEMPORARY, replacing
from trainables.datasets.progress import say
from trainables.datasets.source import Images, Indices

#: Returns an iterator over all images in any order: their positions in the array, and the images.
Batches = Callable[[], Iterator[tuple[Indices, Images]]]

Shape = tuple[int, ...]

#: Hash of the array, and time of the last write in seconds.
_SEAL = struct.Struct("<16sq")


def in_memory(shape: Shape, batches: Batches) -> Images:
    """The images of `batches` as one array `(N, C, H, W)`, not stored on disk."""
    images = np.empty(shape, dtype=np.uint8)
    for places, part in batches():
        images[places] = part
    return images


def cached_images(path: Path, shape: Shape, batches: Batches) -> Images:
    """The array in the file `path`. If the file is absent or damaged, it is written from `batches`.

    If that fails, the array is held in memory only. All processes share the memory pages, which are read at first
    access. The array is writable, because torch expects this of an array that it wraps, but writes do not reach
    the file. Errors raised by `batches` propagate and leave no file.
    """
    try:
        images = _read(path, shape)
        return _build_once(path, shape, batches) if images is None else images
    except OSError as error:
        fault = error.strerror or str(error)
    # Outside the handler: the exception's traceback would keep an interrupted progress bar alive.
    say(f"no cache of decoded images at {path.parent}: {fault}; they stay in memory")
    return in_memory(shape, batches)


def _build_once(path: Path, shape: Shape, batches: Batches) -> Images:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_suffix(".lock")):
        images = _read(path, shape)  # another process may have written it while this one waited
        if images is not None:
            return images
        if path.exists():
            say(f"the cache {path} is damaged; decoding again")
        for pattern in (f"{TEMPORARY}*-{path.stem}", f"{path.stem}*.partial"):  # files of killed processes
            for left in path.parent.glob(pattern):
                left.unlink(missing_ok=True)
        _build(path, shape, batches)
    images = _read(path, shape)
    if images is None:
        raise OSError(f"{path.name} cannot be read back")
    return images


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # Do not delete the lock file: another process may wait for it, and a new file would be a different lock.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another process that is decoding these images")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _build(path: Path, shape: Shape, batches: Batches) -> None:
    with replacing(path) as temporary:
        with temporary.open("xb") as file:
            _write(file.fileno(), shape, batches)
        now = int(time.time()) // 2 * 2  # even seconds, which every file system can hold
        digest = _digest(_mapped(temporary))
        with temporary.open("ab") as file:
            file.write(_SEAL.pack(digest, now))
        os.utime(temporary, (now, now))


def _write(descriptor: int, shape: Shape, batches: Batches) -> None:
    """Write with `pwrite`: through a memory map, a full disk raises a signal that ends the process."""
    header, stride = _header(shape), math.prod(shape[1:])
    # Reserve the space first, so that a full disk is detected before an hour of decoding.
    os.posix_fallocate(descriptor, 0, len(header) + shape[0] * stride)
    _pwrite(descriptor, header, 0)
    for places, images in batches():
        for place, image in zip(places.tolist(), np.ascontiguousarray(images), strict=True):
            _pwrite(descriptor, image.tobytes(), len(header) + place * stride)


def _pwrite(descriptor: int, data: bytes, offset: int) -> None:
    while data:  # when the disk becomes full, one call writes a part and the next call fails
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written


def _read(path: Path, shape: Shape) -> Images | None:
    """The array in `path`, or None when the file is absent, incomplete, changed or of another shape."""
    header = _header(shape)
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_size != len(header) + math.prod(shape) + _SEAL.size:
                return None
            if file.read(len(header)) != header:
                return None
            file.seek(-_SEAL.size, os.SEEK_END)
            digest, written = _SEAL.unpack(file.read())
    except FileNotFoundError:
        return None
    images = _mapped(path)
    if status.st_mtime_ns != written * 10**9:
        if _digest(images) != digest:
            return None
        with suppress(OSError):  # the file of another user keeps its time, and every process checks its hash
            os.utime(path, (written, written))
    return images


def _header(shape: Shape) -> bytes:
    stream = io.BytesIO()
    layout = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, layout)
    return stream.getvalue()


def _mapped(path: Path) -> Images:
    try:
        # Copy on write: torch warns about read-only arrays, and a write to a read-only map ends the process.
        return np.asarray(np.load(path, mmap_mode="c"))
    except OSError:  # the system reserves memory for a copy-on-write map, and too little is free
        return np.asarray(np.load(path, mmap_mode="r"))


def _digest(images: Images) -> bytes:
    return hashlib.blake2b(images.reshape(-1).data, digest_size=16).digest()
