"""Files as they were when looked at, the hash of their bytes, and what was found out about them.

Hashing a large set costs minutes, and every process of a study needs the result, so it is kept on disk under
the state of the files: path, size and the times of the last change of content and of inode. A file that is
written, replaced or moved gets another state, and is looked at again.
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
from trainables.datasets.source import DataError


@dataclass(frozen=True, kw_only=True)
class FileState:
    """A file as it was when looked at: what is cached under it is stale once the file changes."""

    path: str  # a hundred thousand `Path`s cost seconds
    size: int
    mtime_ns: int
    ctime_ns: int


def file_states(paths: Iterable[str | Path]) -> tuple[FileState, ...]:
    """The present state of each file. Raises `DataError` for one that is missing."""
    return tuple(_file_state(os.fspath(path)) for path in paths)


def _file_state(path: str) -> FileState:
    try:
        status = os.stat(path)
    except OSError as error:
        raise DataError(f"data not found: there is no file {path} ({error.strerror})") from error
    return FileState(path=path, size=status.st_size, mtime_ns=status.st_mtime_ns, ctime_ns=status.st_ctime_ns)


def bytes_digest(content: bytes) -> bytes:
    """Hash of the content of one file."""
    return hashlib.blake2b(content, digest_size=16).digest()


def fingerprint(digests: Iterable[bytes], structure: str = "") -> str:
    """Hash of `structure` and of the files' digests in the given order; names and places do not enter."""
    whole = hashlib.blake2b(structure.encode(), digest_size=16)
    for digest in digests:
        whole.update(digest)
    return whole.hexdigest()


def files_fingerprint(files: Iterable[FileState], structure: str = "") -> str:
    """`fingerprint` of files that are read here."""
    return fingerprint(map(_file_digest, files), structure)


@functools.lru_cache(maxsize=4096)
def _file_digest(file: FileState) -> bytes:
    with open(file.path, "rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest()


def remembered(kind: str, files: Iterable[FileState], look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `look` says about `files`, a JSON object; it is asked again when a file or `kind` has changed.

    Without a place to keep it, it is asked in every process. Errors of `look` pass through.
    """
    root = cache_root()
    if root is None:
        return look()
    states = [f"{file.path}\0{file.size} {file.mtime_ns} {file.ctime_ns}" for file in files]
    key = bytes_digest("\n".join([kind, *states]).encode(errors="surrogateescape")).hex()
    path = root / "facts" / f"{key}.json"
    # ValueError: a file that is damaged, to be written anew.
    with suppress(OSError, ValueError):
        return dict(json.loads(path.read_text()))
    facts = look()
    with suppress(OSError):  # nothing is lost but time
        replace_file(path, json.dumps(facts), durable=False)
    return facts
