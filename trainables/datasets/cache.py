"""Decoded images on disk: one uint8 array a content, decoded once a machine and mapped by every process.

`images/KEY.npy` in the cache directory is a .npy file with a seal after the array: the array's hash, and the
time that the file was last written. It comes into being under a temporary name, beneath a lock that the
system lets go of when its holder dies, and is renamed when it is whole: there is never half a file.

A file of the right size, header and time is taken as it stands, which costs nothing. A copy has lost its time:
then the hash is computed, about a second a GB. So truncation and every ordinary write are found, and the file
is made anew; an alteration that also restores the time of the last write is not.
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

#: Gives all images in some order: their places in the array, and the images themselves.
Batches = Callable[[], Iterator[tuple[Indices, Images]]]

Shape = tuple[int, ...]

#: Hash of the array, and time of the last write in seconds.
_SEAL = struct.Struct("<16sq")


def in_memory(shape: Shape, batches: Batches) -> Images:
    """The images of `batches` as one array `(N, C, H, W)`, kept nowhere."""
    images = np.empty(shape, dtype=np.uint8)
    for places, part in batches():
        images[places] = part
    return images


def cached_images(path: Path, shape: Shape, batches: Batches) -> Images:
    """The array kept in `path`, made of `batches` when it is absent or damaged; in memory where that fails.

    Pages are shared by all processes and read when touched. The array can be written to, as torch asks of what
    it takes over, but the file is not. Errors of `batches` pass through and leave nothing behind.
    """
    try:
        images = _read(path, shape)
        return _build_once(path, shape, batches) if images is None else images
    except OSError as error:
        fault = error.strerror or str(error)
    # Outside the handler, which would keep a progress bar that was cut off alive.
    say(f"no cache of decoded images at {path.parent}: {fault}; they stay in memory")
    return in_memory(shape, batches)


def _build_once(path: Path, shape: Shape, batches: Batches) -> Images:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_suffix(".lock")):
        images = _read(path, shape)  # another process may have made it while this one waited
        if images is not None:
            return images
        if path.exists():
            say(f"the cache {path} is damaged; decoding again")
        for left in path.parent.glob(f"{TEMPORARY}*-{path.stem}"):  # by a process that was killed
            left.unlink(missing_ok=True)
        _build(path, shape, batches)
    images = _read(path, shape)
    if images is None:
        raise OSError(f"{path.name} does not read back")
    return images


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # The file stays: another process may wait for it, and a new file of that name would be another lock.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another process, which decodes these images now")
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
    """By `pwrite`, since a full disk met through a memory map is a signal that ends the process."""
    header, stride = _header(shape), math.prod(shape[1:])
    # Claimed first, so that a disk without room is found before an hour of decoding.
    os.posix_fallocate(descriptor, 0, len(header) + shape[0] * stride)
    _pwrite(descriptor, header, 0)
    for places, images in batches():
        for place, image in zip(places.tolist(), np.ascontiguousarray(images), strict=True):
            _pwrite(descriptor, image.tobytes(), len(header) + place * stride)


def _pwrite(descriptor: int, data: bytes, offset: int) -> None:
    while data:  # a disk that fills up takes a part of it, and refuses the next
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written


def _read(path: Path, shape: Shape) -> Images | None:
    """The array in `path`, or None when there is none, or not a whole one of that shape."""
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
        with suppress(OSError):  # another user's file is checked by every process
            os.utime(path, (written, written))
    return images


def _header(shape: Shape) -> bytes:
    stream = io.BytesIO()
    layout = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, layout)
    return stream.getvalue()


def _mapped(path: Path) -> Images:
    try:
        # Copy on write: torch warns of arrays that it must not write to, and a write to a read-only map is fatal.
        return np.asarray(np.load(path, mmap_mode="c"))
    except OSError:  # the system sets memory aside for such a map, and has less than the file needs
        return np.asarray(np.load(path, mmap_mode="r"))


def _digest(images: Images) -> bytes:
    return hashlib.blake2b(images.reshape(-1).data, digest_size=16).digest()
