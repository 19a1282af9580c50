"""Reads the log of a run of Weights & Biases: records of Protocol Buffers, framed as in a log of LevelDB.

The field numbers are those of `wandb_internal.proto`, which keeps them between versions. The library is not needed.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from trainables.reading import TABLE_BYTES, read_bytes

#: What every log begins with: `:W&B`, a magic number, and the version of the framing.
MAGIC = b":W&B\xe1\xbe\x00"

_BLOCK, _HEADER = 2**15, 7
_LONGEST_NUMBER = 64  # bits
_FULL, _LAST = 1, 4  # kinds of chunks with which a record ends


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: number, and an integer, or the bytes of a text or message.

    Raises `ValueError` for bytes that are no message.
    """
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _varint(message, place)
            yield number, value
            continue
        if kind == 2:
            length, place = _varint(message, place)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"no wire type {kind}")
        if place + length > len(message):
            raise ValueError("a field ends too early")
        yield number, message[place : place + length]
        place += length


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message):
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
        if shift > _LONGEST_NUMBER:
            raise ValueError("a number is too long")
    raise ValueError("a number ends too early")


def records(path: Path) -> Iterator[bytes]:
    """The records of a log. A record that a kill cut off at the end does not count.

    Raises `ValueError` with one line for a file that is no log, or whose checksums do not fit.
    """
    try:
        content = read_bytes(path, TABLE_BYTES)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from error
    if not content.startswith(MAGIC):
        raise ValueError(f"{path}: no log of Weights & Biases")
    place, whole = len(MAGIC), bytearray()
    while place + _HEADER <= len(content):
        left = -place % _BLOCK
        if left and left < _HEADER:  # too little for a header: the block ends in zeros
            place += left
            continue
        checksum, length, kind = struct.unpack_from("<IHB", content, place)
        chunk = content[place + _HEADER : place + _HEADER + length]
        if len(chunk) < length or not (checksum or length or kind):  # cut off, or not written yet
            return
        if zlib.crc32(chunk, zlib.crc32(bytes([kind]))) != checksum:
            raise ValueError(f"{path}: the log is damaged at byte {place}")
        place += _HEADER + length
        whole += chunk
        if kind in (_FULL, _LAST):
            yield bytes(whole)
            whole.clear()
