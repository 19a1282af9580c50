"""States and hashes of data files, and a disk cache of facts about them, used by the modules that open data sets.

Hashing a large data set takes minutes, and every process of a study needs the result. It is therefore stored on
disk under the state of the files: path, size, and the times of the last change of content and of inode. A file that
is written, replaced or moved gets another state, and is inspected again.
"""

import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainables.atomic import replace_file
from trainables.datasets.cache_root import cache_root
from trainables.datasets.source import AbsentDataError, DataError
from trainables.reading import check_regular


@dataclass(frozen=True, kw_only=True)
class FileState:
    """The state of a file at the time of inspection. Results cached under it become stale when the file changes."""

    path: str  # a hundred thousand `Path` objects take seconds
    size: int
    mtime_ns: int
    ctime_ns: int


def file_states(paths: Iterable[str | Path]) -> tuple[FileState, ...]:
    """The current state of each file. Raises `DataError` for a missing file, and for a pipe or a device."""
    return tuple(_file_state(os.fspath(path)) for path in paths)


def _file_state(path: str) -> FileState:
    try:
        status = check_regular(path)
    except FileNotFoundError as error:
        raise AbsentDataError(f"data not found: there is no file {path} ({error.strerror})") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    return FileState(path=path, size=status.st_size, mtime_ns=status.st_mtime_ns, ctime_ns=status.st_ctime_ns)


def bytes_digest(content: bytes) -> bytes:
    """Hash of the content of one file."""
    return hashlib.blake2b(content, digest_size=16).digest()


def fingerprint(digests: Iterable[bytes], structure: str = "") -> str:
    """Hash of `structure` and of the files' digests in the given order. File names and folders have no effect."""
    whole = hashlib.blake2b(structure.encode(), digest_size=16)
    for digest in digests:
        whole.update(digest)
    return whole.hexdigest()


def files_fingerprint(files: Iterable[FileState], structure: str = "") -> str:
    """The `fingerprint` of the content of `files`, which this function reads."""
    return fingerprint(map(_file_digest, files), structure)


@functools.lru_cache(maxsize=4096)
def _file_digest(file: FileState) -> bytes:
    with open(file.path, "rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest()


def remembered(kind: str, files: Iterable[FileState], look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The JSON object that `look` returns about `files`, cached on disk until a file or `kind` changes.

    Without a cache directory, every call runs `look`. Errors raised by `look` propagate.
    """
    root = cache_root()
    if root is None:
        return look()
    states = [f"{file.path}\0{file.size} {file.mtime_ns} {file.ctime_ns}" for file in files]
    key = bytes_digest("\n".join([kind, *states]).encode(errors="surrogateescape")).hex()
    path = root / "facts" / f"{key}.json"
    # ValueError: the cached file is damaged and is written again below.
    with suppress(OSError, ValueError):
        return dict(json.loads(path.read_text()))
    facts = look()
    with suppress(OSError):  # without the cached file, the next process only takes more time
        replace_file(path, json.dumps(facts), durable=False)
    return facts
