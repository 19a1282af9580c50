"""Where a store keeps its files: the operations that it needs of a place, and that place in a directory.

A few operations, each whole or not at all, on names such as `records/<name>`. `put` creates and never overwrites:
records, compaction and leases rest on this, since of several writers of one name exactly one wins.
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

#: What `open_files` hands to an object store.
OBJECT_SCHEMES = ("s3", "gs")


class StoreError(ValueError):
    """The store cannot be used: not writable, damaged beyond one record, or written by a newer version."""


class RecordExistsError(StoreError):
    """Another writer has put another content under this attempt already; theirs stands."""


class DamagedRecordError(ValueError):
    """A file that cannot be read back whole."""


class Files(Protocol):
    """A place for immutable files. Everything raises `OSError` when the place refuses."""

    def prepare(self) -> None:
        """Create the place, and prove that it can be written and creates without overwriting."""

    def put(self, name: str, content: bytes, *, durable: bool = True) -> bool:
        """Create a file. False when the name is taken by another content; the same content is no conflict."""

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder, sorted, each with its folder; none when there is no such folder."""

    def read(self, name: str) -> bytes:
        """Content of a file. Raises `FileNotFoundError`."""

    def read_each(self, names: Sequence[str]) -> Iterator[bytes]:
        """Contents of files, in the order of their names. Raises `FileNotFoundError` on the way."""

    def delete(self, name: str) -> None:
        """Remove a file; without effect when it is gone."""

    def ages(self, names: Sequence[str]) -> dict[str, float]:
        """Seconds since each file was written, by the clock of the place itself; files that are gone are left out.

        The clocks of the machines that use the place need not agree: both ends come from one clock.
        """

    def sweep_temporary(self, older_than: float) -> None:
        """Remove what killed writers left behind, when it is older than so many seconds."""


@dataclass(frozen=True)
class LocalFiles:
    """Files under `root`, on a local or a network file system; see `Files` for what each operation promises."""

    root: Path

    def prepare(self) -> None:
        """Prove that links work: `put` needs them, and some network file systems lack them."""
        probe = temporary_path(Path("records", "probe")).as_posix()
        try:
            self.put(probe, b"")
        finally:
            self.delete(probe)

    def put(self, name: str, content: bytes, *, durable: bool = True) -> bool:
        """Create a file; flushed to disk, and its name too, when `durable`."""
        path = self.root / name
        if create_file(path, content, durable=durable):
            return True
        # The same content counts: a network file system may lose its answer to a link that it made.
        return self._holds(path, content)

    def names(self, folder: str) -> list[str]:
        """Temporary files apart."""
        try:
            found = os.listdir(self.root / folder)
        except FileNotFoundError:
            return []
        return sorted(f"{folder}/{name}" for name in found if not name.startswith(TEMPORARY))

    def read(self, name: str) -> bytes:
        """The whole content."""
        return (self.root / name).read_bytes()

    def read_each(self, names: Sequence[str]) -> Iterator[bytes]:
        """One after another, as they are asked for."""
        return map(self.read, names)

    def delete(self, name: str) -> None:
        """Remove a file."""
        (self.root / name).unlink(missing_ok=True)

    def ages(self, names: Sequence[str]) -> dict[str, float]:
        """By the time stamps that the file system gives, the present being that of a file made now."""
        if not names:
            return {}
        now = self._now((self.root / names[0]).parent)
        found = {}
        for name in names:
            # Opening asks a network file system anew, where a plain stat may be answered from a cache.
            with suppress(FileNotFoundError), (self.root / name).open("rb") as file:
                found[name] = now - os.fstat(file.fileno()).st_mtime
        return found

    def sweep_temporary(self, older_than: float) -> None:
        """A live writer's file is milliseconds old; one that is swept from under it fails loudly."""
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
        except FileNotFoundError:  # no folder, no files: no age depends on this
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
            f"store: {location} needs obstore; install it by: pip install 'contrastive-robustness[cloud]'"
        ) from error
    return ObjectFiles(str(location))
