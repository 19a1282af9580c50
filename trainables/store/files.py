"""The files of a store: the protocol `Files` with the operations that a store needs, and its version for directories.

Each operation is atomic and takes names such as `records/<name>`. `put` creates a file and never overwrites one. So
if several writers create the same name, exactly one succeeds. Records, compaction and leases rely on this.
"""

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from trainables.atomic import TEMPORARY, create_file, temporary_path

#: URL schemes for which `open_files` uses an object store.
OBJECT_SCHEMES = ("s3", "gs")


class StoreError(ValueError):
    """The store cannot be used: not writable, damaged beyond one record, or written by a newer version."""


class RecordExistsError(StoreError):
    """Another writer has already written other content for this attempt. That record is kept."""


class DamagedRecordError(ValueError):
    """A file is incomplete or its content has changed."""


class Files(Protocol):
    """Storage for immutable files: a directory or an object store. Methods raise `OSError` if it cannot be used."""

    def prepare(self) -> None:
        """Create the storage, and check that it can be written and that `put` does not overwrite."""

    def put(self, name: str, content: bytes, *, durable: bool = True) -> bool:
        """Create a file. False if a file of this name has other content; the same content is no conflict."""

    def names(self, folder: str) -> list[str]:
        """The sorted names of the files in a folder, each with its folder; none if the folder does not exist."""

    def read(self, name: str) -> bytes:
        """Content of a file. Raises `FileNotFoundError`."""

    def read_each(self, names: Sequence[str]) -> Iterator[bytes]:
        """Contents of files, in the order of `names`. The iteration raises `FileNotFoundError` for a missing file."""

    def delete(self, name: str) -> None:
        """Remove a file, if it exists."""

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
        """Check that hard links work: `put` needs them, and some network file systems do not support them."""
        probe = temporary_path(Path("records", "probe")).as_posix()
        try:
            self.put(probe, b"")
        finally:
            self.delete(probe)

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
        return sorted(f"{folder}/{name}" for name in found if not name.startswith(TEMPORARY))

    def read(self, name: str) -> bytes:
        """The whole content of a file."""
        return (self.root / name).read_bytes()

    def read_each(self, names: Sequence[str]) -> Iterator[bytes]:
        """The contents of files, in order. Each is read when the caller reaches it."""
        return map(self.read, names)

    def delete(self, name: str) -> None:
        """Remove a file."""
        (self.root / name).unlink(missing_ok=True)

    def ages(self, names: Sequence[str]) -> dict[str, float]:
        """The ages of files by the file system's time stamps. A new file gives the present time."""
        if not names:
            return {}
        now = self._now((self.root / names[0]).parent)
        found = {}
        for name in names:
            # On a network file system, a plain stat may come from a cache. Opening the file avoids this.
            with suppress(FileNotFoundError), (self.root / name).open("rb") as file:
                found[name] = now - os.fstat(file.fileno()).st_mtime
        return found

    def sweep_temporary(self, older_than: float) -> None:
        """Remove old temporary files.

        The temporary file of a running writer is only milliseconds old. If it is removed anyway, the writer raises.
        """
        for folder in ("records", "leases"):
            names = [path.name for path in (self.root / folder).glob(f"{TEMPORARY}*")]
            for name, age in self.ages([f"{folder}/{name}" for name in names]).items():
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
            return path.read_bytes() == content
        except OSError:
            return False


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
