"""The files of a store: the protocol `Files` with the operations that a store needs, and its version for directories.

Each operation is atomic and takes names such as `records/<name>`. `put` creates a file and never overwrites one. So
if several writers create the same name, exactly one succeeds. Records, compaction and leases rely on this.
"""

import errno
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from trainables.atomic import create_file, is_temporary, replace_file, temporary_path
from trainables.reading import NotRegularError, opened
from trainables.store.errors import (
    MOST_BYTES,
    DamagedRecordError,
    IrregularFileError,
    RecordExistsError,
    StoreError,
)

__all__ = [
    "DamagedRecordError",
    "Files",
    "IrregularFileError",
    "LocalFiles",
    "RecordExistsError",
    "StoreError",
    "open_files",
]

#: URL schemes for which `open_files` uses an object store.
OBJECT_SCHEMES = ("s3", "gs")

#: The hexadecimal digits of an id. Only they become part of a path.
ID_PATTERN, ID_WORDS = "[0-9a-f]{8,64}", "8 to 64 digits of 0-9 and a-f"


class Files(Protocol):
    """Storage for immutable files: a directory or an object store. Methods raise `OSError` if it cannot be used."""

    def prepare(self) -> None:
        """Create the storage, and check that it can be written and that `put` does not overwrite."""

    def put(self, name: str, content: bytes, *, durable: bool = True) -> bool:
        """Create a file. False if a file of this name has other content; the same content is no conflict."""

    def names(self, folder: str) -> list[str]:
        """The sorted names of the files in a folder, each with its folder; none if the folder does not exist."""

    def read(self, name: str, most: int = MOST_BYTES) -> bytes:
        """Content of a file. Raises `FileNotFoundError`, and `DamagedRecordError` for one of more than `most` bytes.

        What is no regular file, such as a pipe, is never opened, and raises `DamagedRecordError` too.
        """

    def read_each(self, names: Sequence[str], most: int = MOST_BYTES) -> Iterator[bytes | DamagedRecordError]:
        """Contents of files, in the order of `names`, or the error that `read` would raise for a damaged one.

        The iteration raises `FileNotFoundError` for a missing file.
        """

    def delete(self, name: str) -> None:
        """Remove a file, if it exists."""

    def move(self, name: str, target: str) -> None:
        """Move a file, whatever it is, to a name that nobody uses. Raises `FileNotFoundError`."""

    def ages(self, names: Sequence[str]) -> dict[str, float]:
        """Seconds since each existing file was written, by the clock of the storage itself.

        Both times come from this one clock, so the clocks of the machines that use the storage need not agree.
        """

    def sweep_temporary(self, older_than: float) -> None:
        """Remove temporary files of killed writers that are older than `older_than` seconds."""


@dataclass(frozen=True)
class LocalFiles:
    """The files under `root`, on a local or a network file system; `Files` describes each operation."""

    root: Path

    def prepare(self) -> None:
        """Check that hard links work: `put` needs them, and some network file systems do not support them.

        After an error, no folder is left that was not there before.
        """
        folder = self.root / "records"
        absent = [each for each in (folder, *folder.parents) if not each.exists()]
        probe, link = temporary_path(folder / "probe"), temporary_path(folder / "link")
        try:
            replace_file(probe, b"")
            _link(probe, link)
        except (OSError, MemoryError):
            with suppress(OSError):
                probe.unlink(missing_ok=True)
            for each in absent:
                with suppress(OSError):  # another process has written to it in the meantime
                    each.rmdir()
            raise
        for path in (probe, link):
            path.unlink(missing_ok=True)

    def put(self, name: str, content: bytes, *, durable: bool = True) -> bool:
        """Create a file. If `durable`, flush the file and its folder's entry to disk."""
        path = self.root / name
        if create_file(path, content, durable=durable):
            return True
        # The same content counts as success: a network file system may lose the response to a link that it made.
        return self._holds(path, content)

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder, sorted, without temporary files."""
        try:
            found = os.listdir(self.root / folder)
        except FileNotFoundError:
            return []
        return sorted(f"{folder}/{name}" for name in found if not is_temporary(name))

    def read(self, name: str, most: int = MOST_BYTES) -> bytes:
        """The whole content of a file. Links to regular files are followed."""
        with _opened(self.root / name, name) as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise DamagedRecordError(f"{name}: it has {size:,} bytes, at most {most:,} are read")
            return file.read(size)  # some files of /proc have size 0 and no end

    def read_each(self, names: Sequence[str], most: int = MOST_BYTES) -> Iterator[bytes | DamagedRecordError]:
        """The contents of files, in order. Each is read when the caller reaches it."""
        for name in names:
            try:
                yield self.read(name, most)
            except DamagedRecordError as error:
                yield error

    def delete(self, name: str) -> None:
        """Remove a file."""
        (self.root / name).unlink(missing_ok=True)

    def move(self, name: str, target: str) -> None:
        """Move a file, a folder, or anything else. Links are moved as links."""
        path = self.root / target
        if path.parent.is_symlink():
            raise OSError(errno.EINVAL, f"{path.parent} is a link, and nothing is moved out of the store")
        path.parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).rename(path)

    def ages(self, names: Sequence[str]) -> dict[str, float]:
        """The ages of files by the file system's time stamps. A new file gives the present time."""
        if not names:
            return {}
        now = self._now((self.root / names[0]).parent)
        found = {}
        for name in names:
            # On a network file system, a plain stat may come from a cache. Opening the file avoids this.
            with suppress(FileNotFoundError, DamagedRecordError), _opened(self.root / name, name) as file:
                found[name] = now - os.fstat(file.fileno()).st_mtime
        return found

    def sweep_temporary(self, older_than: float) -> None:
        """Remove old temporary files.

        The temporary file of a running writer is only milliseconds old. If it is removed anyway, the writer raises.
        """
        for folder in ("records", "leases"):
            try:
                names = [f"{folder}/{name}" for name in os.listdir(self.root / folder) if is_temporary(name)]
            except FileNotFoundError:
                continue
            for name, age in self.ages(names).items():
                if age > older_than:
                    self.delete(name)

    def _now(self, folder: Path) -> float:
        probe = temporary_path(folder / "now")
        try:
            probe.touch(exist_ok=False)
            return probe.stat().st_mtime
        except FileNotFoundError:  # without the folder there are no files, so this value is not used
            return time.time()
        finally:
            probe.unlink(missing_ok=True)

    def _holds(self, path: Path, content: bytes) -> bool:
        try:
            return self.read(path.relative_to(self.root).as_posix()) == content
        except (OSError, DamagedRecordError):
            return False


def _opened(path: Path, name: str) -> BinaryIO:
    """A regular file, or the file behind a link, open for reading without a wait.

    Raises `IrregularFileError` for anything else, since opening a pipe waits and a device may have no end, and
    `DamagedRecordError` for a link without a file.
    """
    try:
        return opened(path)
    except NotRegularError as error:
        raise IrregularFileError(f"{name}: it {error.strerror}") from error
    except FileNotFoundError:
        if path.is_symlink():
            raise DamagedRecordError(f"{name}: it is a link to a file that does not exist") from None
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DamagedRecordError(f"{name}: it is a link to itself") from error
        raise


def _link(path: Path, link: Path) -> None:
    try:
        os.link(path, link)
    except OSError as error:
        reason = f"its file system has no hard links, which records need: {error.strerror}"
        raise OSError(error.errno, reason) from error


def open_files(location: str | Path) -> Files:
    """The files at a directory, or at `s3://bucket/prefix` or `gs://bucket/prefix`."""
    scheme = re.match(r"([a-z0-9]+)://", str(location))
    if scheme is None:
        return LocalFiles(Path(location))
    if scheme[1] not in OBJECT_SCHEMES:
        raise StoreError(
            f"store: got '{location}', must be a directory, s3://bucket/prefix or gs://bucket/prefix"
        )
    try:
        from trainables.store.object_files import ObjectFiles
    except ImportError as error:
        raise StoreError(
            f"store: {location} needs the extra cloud; `uv sync --extra cloud` installs it"
        ) from error
    return ObjectFiles(str(location))
