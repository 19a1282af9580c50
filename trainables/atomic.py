"""Atomic writing of files. All code that writes a file for other processes uses it.

A writer fills a temporary file in the same folder as the target, then moves or links it to the target's name. So no
reader sees an incomplete file. A killed writer leaves the temporary file behind. In a store, `study gc` removes it by
its name. This module imports only the standard library.
"""

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: The prefix of every temporary file's name.
TEMPORARY = ".tmp-"

_TEMPORARY_NAME = re.compile(rf"{re.escape(TEMPORARY)}[0-9a-f]{{32}}(-|\Z)")


def temporary_path(path: Path) -> Path:
    """A path in the folder of `path` that no other writer uses: `.tmp-<32 digits>-<stem>`.

    It has no suffix, so a search for `*.pt`, for example, does not find it.
    """
    return path.with_name(f"{TEMPORARY}{uuid.uuid4().hex}-{path.stem}")


def is_temporary(name: str) -> bool:
    """Whether a file's name, without its folder, is one that `temporary_path` gives, also of earlier versions."""
    return _TEMPORARY_NAME.match(name) is not None


def replace_file(path: Path, content: str | bytes, *, durable: bool = True) -> Path:
    """Write `content` (text as UTF-8) to `path` and return `path`; see `replacing`."""
    with replacing(path, durable=durable) as temporary:
        _write(temporary, content.encode() if isinstance(content, str) else content)
    return path


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Give the block a temporary path. The file or folder that the block creates there replaces `path` at its end.

    Creates the parent folder. After an error in the block, `path` is unchanged and the temporary file is removed. A
    `durable` file and its name are on the disk when this returns; of a folder, only its name. A folder replaces only
    an empty one. Raises `OSError` if the write fails.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(path)
    with _naming(path, temporary):
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
    """Write `content` to a new file. Returns False and changes nothing if `path` exists: a link never overwrites.

    Creates the parent folder; `durable` as in `replacing`. Raises `OSError` if the write fails.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(path)
    with _naming(path, temporary):
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


@contextmanager
def _naming(path: Path, temporary: Path) -> Iterator[None]:
    """Let an `OSError` of the block name `path`. The system names no file, or the temporary one."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(temporary), temporary):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)


def _flush(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove a temporary file or folder if it exists. Errors are ignored, so that they do not hide an earlier one."""
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
