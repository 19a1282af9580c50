"""Writes files whole or not at all. Everything that writes a file which others read uses it.

A writer fills a temporary file beside the target, then moves or links it to its name, so no reader sees half a file.
A killed writer leaves the temporary file behind; `study gc` and the store's compaction remove it by its name.
This module imports the standard library alone.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: How the name of every temporary file begins.
TEMPORARY = ".tmp-"


def temporary_path(path: Path) -> Path:
    """A name beside `path` that no other writer uses: `.tmp-<32 digits>-<stem>`.

    It has no suffix, so that who looks for `*.pt` does not find it.
    """
    return path.with_name(f"{TEMPORARY}{uuid.uuid4().hex}-{path.stem}")


def replace_file(path: Path, content: str | bytes, *, durable: bool = True) -> Path:
    """Write `content` (text as UTF-8) to `path` and return `path`; see `replacing`."""
    with replacing(path, durable=durable) as temporary:
        _write(temporary, content.encode() if isinstance(content, str) else content)
    return path


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Gives a temporary path, at which the block creates a file or a folder; it replaces `path` when the block ends.

    Creates the parent folder. After an error in the block, `path` is as before and the temporary file is gone. A
    `durable` file is on the disk when this returns, and so is its name. Raises `OSError` when the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(path)
    try:
        yield temporary
        if durable:
            _flush(temporary)
        os.replace(temporary, path)
        if durable:
            _flush(path.parent)
    finally:
        _remove(temporary)


def create_file(path: Path, content: bytes, *, durable: bool = True) -> bool:
    """Write `content` to a new file. False, without any change, when `path` exists: a link never overwrites.

    Creates the parent folder; `durable` as in `replacing`. Raises `OSError` when the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(path)
    try:
        _write(temporary, content)
        if durable:
            _flush(temporary)
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        _remove(temporary)
    if durable:
        _flush(path.parent)
    return True


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)


def _flush(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove a temporary file or folder if it is still there. An error in flight says more than one from here."""
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
