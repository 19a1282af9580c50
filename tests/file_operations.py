"""The operations of Python on files, replaced by ones that ask before they reach the system.

Files that are written hold their content until they are closed. So a process that is forked in the middle of a write
shares no open file with this one.
"""

import builtins
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

#: Functions of `os` that change something, and that only look.
CHANGING = ("mkdir", "link", "rename", "replace", "symlink", "unlink", "remove", "rmdir", "fsync", "utime")
LOOKING = ("listdir", "scandir", "stat", "lstat")


class Watcher(Protocol):
    """Whom the operations ask."""

    folder: str  # only files below it hold their content
    on: bool

    def at(self, operation: str, path: Any) -> None:
        """Called before each operation. The operation fails with what it raises."""


def place_of(path: Any) -> str | None:
    """The absolute path of an operand, which may be a descriptor."""
    if isinstance(path, int):
        try:
            return os.readlink(f"/proc/self/fd/{path}")
        except OSError:
            return None
    return os.path.abspath(os.fsdecode(path))


class _Held(io.BytesIO):
    """A file that is written at its close."""

    def __init__(self, one: Watcher, path: str, mode: str) -> None:
        self._one, self.name, self.mode = one, path, mode
        held = b""
        if "w" not in mode and "x" not in mode:
            with _OPEN(path, "rb") as file:
                held = file.read()
        else:
            _OPEN(path, mode.replace("t", "").replace("b", "") + "b").close()
        super().__init__(held)
        if "a" in mode:
            self.seek(0, os.SEEK_END)

    def write(self, content: Any) -> int:
        self._one.at("write", self.name)
        return super().write(content)

    def close(self) -> None:
        if self.closed:
            return
        with suppress(FileNotFoundError), _OPEN(self.name, "r+b") as file:
            file.write(self.getvalue())
            file.truncate()
        super().close()


class _Read(io.FileIO):
    """A file that is read."""

    one: Watcher

    def readinto(self, buffer: Any) -> int | None:
        self.one.at("read", self.name)
        return super().readinto(buffer)

    def readall(self) -> bytes:
        self.one.at("read", self.name)
        return super().readall()


_OPEN = io.open


@contextmanager
def replaced_operations(one: Watcher) -> Iterator[None]:
    """Put the operations that can fail in place of those of Python."""
    before = {name: getattr(os, name) for name in (*CHANGING, *LOOKING, "open")}

    def of_os(name: str) -> Callable[..., Any]:
        def call(*operands: Any, **options: Any) -> Any:
            # The path that matters is the new one, for operations with two paths.
            two = name in ("link", "rename", "replace", "symlink")
            one.at("rename" if name == "replace" else name, operands[1 if two else 0] if operands else ".")
            return before[name](*operands, **options)

        return call

    def open_os(path: Any, flags: int, *operands: Any, **options: Any) -> int:
        one.at("create" if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else "open", path)
        return before["open"](path, flags, *operands, **options)

    def open_file(file: Any, mode: str = "r", *operands: Any, **options: Any) -> Any:
        if isinstance(file, int) or not one.on or options.get("opener") is not None:
            return _OPEN(file, mode, *operands, **options)
        place = place_of(file)
        if place is None or not (place + "/").startswith(one.folder + "/"):
            return _OPEN(file, mode, *operands, **options)
        changing = any(letter in mode for letter in "wxa+")
        one.at("create" if changing else "open", place)
        if changing:
            raw: Any = _Held(one, place, mode)
        else:
            plain = _Read(place, "r")
            plain.one = one
            raw = io.BufferedReader(plain)
        if "b" in mode:
            return raw
        names = ("buffering", "encoding", "errors", "newline")
        given = dict(zip(names, operands, strict=False)) | options
        given.pop("buffering", None)
        given.pop("closefd", None)
        return io.TextIOWrapper(raw, **given)

    # Otherwise `rmtree` holds folders open, which are other folders after `_restore`.
    descriptors, shutil._use_fd_functions = shutil._use_fd_functions, False  # type: ignore[attr-defined]
    try:
        for name in (*CHANGING, *LOOKING):
            setattr(os, name, of_os(name))
        os.open, io.open, builtins.open = open_os, open_file, open_file  # type: ignore[assignment]
        yield
    finally:
        for name, function in before.items():
            setattr(os, name, function)
        io.open = builtins.open = _OPEN
        shutil._use_fd_functions = descriptors  # type: ignore[attr-defined]
