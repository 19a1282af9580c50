"""Opens archives that others made: zip files and gzip streams. Everything is checked before a file is unpacked.

Sizes are limited, because a small archive may expand to any size. This module imports only the standard
library and `trainables.reading`.
"""

import gzip
import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from trainables.reading import opened

#: The most bytes of an archive, and of the files in it.
MOST_BYTES = 2**30

#: The most files and folders of an archive, and the most bytes of its list of files.
MOST_MEMBERS = 10_000
_MOST_LIST = 2**24

#: No useful file of more than `_SMALL` bytes is stored in less than this part of its size.
_MOST_RATIO, _SMALL = 200, 2**23

#: The longest path of a file, in bytes, the longest of its parts, and the most parts.
_MOST_PATH, _MOST_PART, _MOST_PARTS = 1024, 255, 32

_CHUNK = 2**20
_DRIVE = re.compile(r"[A-Za-z]:")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED, _STRONGLY_ENCRYPTED, _PATCHED = 0x1, 0x40, 0x20

#: The end of a zip file: 22 bytes, then a comment of up to 64 KiB. Offset and form of the size of the list of files.
_END, _END_SIZE, _MOST_COMMENT = b"PK\x05\x06", 22, 2**16
_END_64, _END_64_SIZE = b"PK\x06\x07", 20

_INSTEAD = "unpack it yourself and name the folder"


class ArchiveError(ValueError):
    """An archive that is not opened, in one line: its path, what is wrong, and what is allowed."""


@contextmanager
def unpacked_zip(path: Path) -> Iterator[Path]:
    """A temporary folder with the files of a zip file. It is removed at the end of the block.

    Raises `ArchiveError` for a file that is not a valid zip file, and for one with links, special files, paths out of
    the folder, two files of one name, encrypted files, another compression than deflate, or more than `MOST_BYTES`.
    Raises `OSError` if the temporary folder cannot be written.
    """
    with TemporaryDirectory(prefix="study-") as folder:
        root = Path(folder).resolve()
        _unpack_all(path, root)
        yield root


def gunzip(content: bytes, most: int = MOST_BYTES) -> bytes:
    """The content of a gzip stream. Raises `ArchiveError` if it has more than `most` bytes, or is damaged.

    The last four bytes are its size up to 4 GB, as its writer says it.
    """
    if (size := int.from_bytes(content[-4:], "little")) > most:
        raise ArchiveError(f"it unpacks to {size:,} bytes; at most {most:,} are read")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            found = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveError(f"the compressed content is damaged ({error})") from error
    if len(found) > most:
        raise ArchiveError(f"it unpacks to more than {most:,} bytes, which is the most that is read")
    return found


def _unpack_all(path: Path, folder: Path) -> None:
    try:
        file = opened(path)
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be read ({error.strerror or error})") from error
    with file:
        try:
            size = _check_end(file)
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                _check(members, size)
                left = MOST_BYTES
                for member in members:
                    left -= _unpack(archive, member, folder, left)
        except ArchiveError as error:
            raise ArchiveError(f"{path}: {error}") from error
        except (
            zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError
        ) as error:  # fmt: skip
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ArchiveError(f"{path}: is not a zip file that can be read ({reason})") from error


def _check_end(file: BinaryIO) -> int:
    """The size of the archive. Raises `ArchiveError` if its list of files is larger than it may be.

    `zipfile` reads the whole list at once.
    """
    size = file.seek(0, os.SEEK_END)
    if size > MOST_BYTES:
        raise ArchiveError(f"has {_size(size)}, and at most {_size(MOST_BYTES)} are read; {_INSTEAD}")
    start = max(0, size - _END_SIZE - _MOST_COMMENT - _END_64_SIZE)
    file.seek(start)
    tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_SIZE:
        raise ArchiveError("is not a zip file that can be read (it has no end)")
    listed = int.from_bytes(tail[place + 12 : place + 16], "little")
    if _END_64 in tail[:place][-_END_64_SIZE:] or listed > _MOST_LIST:
        raise ArchiveError(f"has too many files; at most {MOST_MEMBERS} are unpacked, {_INSTEAD}")
    file.seek(0)
    return size


def _check(members: Sequence[zipfile.ZipInfo], size: int) -> None:
    """Raise `ArchiveError` for a member that is not unpacked, before any of them is."""
    if len(members) > MOST_MEMBERS:
        raise ArchiveError(f"has {len(members)} files; at most {MOST_MEMBERS} are unpacked, {_INSTEAD}")
    files: set[str] = set()
    folders: set[str] = set()
    for member in members:
        _check_name(member.orig_filename)
        _check_kind(member)
        if not 0 <= member.header_offset < size:
            raise ArchiveError(
                f"is not a zip file that can be read ({member.orig_filename!r} begins outside of it)"
            )
        parts = _same(member.orig_filename.rstrip("/")).split("/")
        above = {"/".join(parts[:count]) for count in range(1, len(parts))}
        own = "/".join(parts)
        if above & files or own in files or (own in folders and not member.is_dir()):
            raise ArchiveError(f"has two files with the name {member.orig_filename!r}")
        folders |= above
        (folders if member.is_dir() else files).add(own)
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise ArchiveError(f"has more than {_size(MOST_BYTES)} of files, which are not unpacked; {_INSTEAD}")


def _same(name: str) -> str:
    """What file systems that ignore case and the form of accents make of a name."""
    return unicodedata.normalize("NFC", name).casefold()


def _check_name(name: str) -> None:
    parts = name.removesuffix("/").split("/")
    if (
        name.startswith("/")
        or _DRIVE.match(name)
        or "\\" in name
        or any(part in ("", ".", "..") for part in parts)
    ):
        raise ArchiveError(f"has a file {name!r}; paths must be relative, with slashes and without '..'")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name) or not _is_short(name, parts):
        shown = name if len(name) < 80 else f"{name[:77]}..."
        raise ArchiveError(f"has a file {shown!r}, whose name no file can have here")


def _is_short(name: str, parts: Sequence[str]) -> bool:
    size = len(name.encode(errors="surrogateescape"))
    longest = max(len(part.encode(errors="surrogateescape")) for part in parts)
    return size <= _MOST_PATH and longest <= _MOST_PART and len(parts) <= _MOST_PARTS


def _check_kind(member: zipfile.ZipInfo) -> None:
    name, kind = member.orig_filename, stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if member.is_dir() else stat.S_IFREG):
        raise ArchiveError(
            f"has {name!r}, which is a link or a special file; only files and folders are unpacked"
        )
    if member.flag_bits & (_ENCRYPTED | _STRONGLY_ENCRYPTED | _PATCHED):
        raise ArchiveError(f"has the encrypted file {name!r}; pack it without a password")
    if member.compress_type not in _METHODS:
        raise ArchiveError(f"has {name!r} in compression {member.compress_type}; pack it with deflate")
    if member.file_size > max(_SMALL, _MOST_RATIO * member.compress_size):
        raise ArchiveError(
            f"has {name!r} with {member.compress_size:,} bytes that expand to {member.file_size:,}, as in an attack; "
            "unpack it yourself only if you trust its author"
        )


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, most: int) -> int:
    """Unpack a file into `folder`, and return its size. Raises `ArchiveError` if the archive states another size."""
    target = folder / member.orig_filename
    if member.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(member) as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > min(member.file_size, most):
                break
            file.write(chunk)
    if size != member.file_size:
        raise ArchiveError(f"has {member.orig_filename!r}, which has not the size that the archive states")
    return size


def _size(count: int) -> str:
    return f"{count / 2**30:.3g} GiB" if count >= 2**30 else f"{count / 2**20:.3g} MiB"
