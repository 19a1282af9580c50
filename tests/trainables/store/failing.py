"""Files that stop in the middle of what somebody does with them."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from trainables.store.files import LocalFiles


class Stopped(Exception):
    """Here the process would have been killed."""


@dataclass(frozen=True)
class StoppingFiles(LocalFiles):
    """Local files that raise `Stopped` instead of making the change after `allowed` changes."""

    allowed: int = 0
    made: list[str] = field(default_factory=list)

    def put(self, name: str, content: bytes, *, durable: bool = True) -> bool:
        self._count(f"put {name}")
        return super().put(name, content, durable=durable)

    def delete(self, name: str) -> None:
        self._count(f"delete {name}")
        super().delete(name)

    def _count(self, change: str) -> None:
        if len(self.made) == self.allowed:
            raise Stopped(change)
        self.made.append(change)


@dataclass(frozen=True)
class InterruptedFiles(LocalFiles):
    """Local files that let others act once, just before a file is created or in the middle of a listing."""

    before_put: list[Callable[[], object]] = field(default_factory=list)
    in_listing: list[Callable[[], object]] = field(default_factory=list)
    own: list[str] = field(default_factory=list)  # created through this object

    def names(self, folder: str) -> list[str]:
        """A file that comes or goes during a listing may be missing from it, or not."""
        before = super().names(folder)
        if self.in_listing:
            self.in_listing.pop()()
        return sorted(name for name in before if name in self.own or (self.root / name).exists())

    def put(self, name: str, content: bytes, *, durable: bool = True) -> bool:
        if self.before_put:
            self.before_put.pop()()
        self.own.append(name)
        return super().put(name, content, durable=durable)


def make_old(path: Path, seconds: float) -> None:
    """Pretend that a file was written long ago."""
    stat = path.stat()
    os.utime(path, (stat.st_atime, stat.st_mtime - seconds))
