"""Files of a store in a directory, on a local or a network file system.

A file is written to a temporary name, flushed to disk and then linked to its name, which fails when the name is
taken; a rename would overwrite. Readers thus see whole files or none.
"""

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TEMPORARY = ".tmp-"


@dataclass(frozen=True)
class LocalFiles:
    """Files under `root`; see `Files` for what each operation promises."""

    root: Path

    def prepare(self) -> None:
        """Prove that links work: `put` needs them, and some network file systems lack them."""
        probe = f"records/{_TEMPORARY}{uuid.uuid4().hex}"
        try:
            self.put(probe, b"")
        finally:
            self.delete(probe)

    def put(self, name: str, content: bytes, *, durable: bool = True) -> bool:
        """Create a file; flushed to disk, and its name too, when `durable`."""
        final = self.root / name
        temporary = final.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(temporary, content, durable)
            os.link(temporary, final)
        except FileExistsError:  # also after a network file system lost its answer to a link that it made
            return self._holds(final, content)
        finally:
            with suppress(OSError):  # what stays is swept later; the error in flight says more
                temporary.unlink(missing_ok=True)
        if durable:
            flush_directory(final.parent)
        return True

    def names(self, folder: str) -> list[str]:
        """Temporary files apart."""
        try:
            found = os.listdir(self.root / folder)
        except FileNotFoundError:
            return []
        return sorted(f"{folder}/{name}" for name in found if not name.startswith(_TEMPORARY))

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
            names = [path.name for path in (self.root / folder).glob(f"{_TEMPORARY}*")]
            for name, age in self.ages([f"{folder}/{name}" for name in names]).items():
                if age > older_than:
                    self.delete(name)

    def _now(self, folder: Path) -> float:
        probe = folder / f"{_TEMPORARY}{uuid.uuid4().hex}"
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


def _write(path: Path, content: bytes, durable: bool) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def flush_directory(path: Path) -> None:
    """Make new names in a directory themselves durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
