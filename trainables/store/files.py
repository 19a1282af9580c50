"""What the store needs of a place for files, and which place a location names.

A few operations, each whole or not at all, on names such as `records/<name>`. That `put` creates and never
overwrites is all that records, compaction and leases rest on: of several writers of one name exactly one wins.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from trainables.store.errors import StoreError

#: What `open_files` hands to an object store.
OBJECT_SCHEMES = ("s3", "gs")


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


def open_files(location: str | Path) -> Files:
    """The files at a directory, or at `s3://bucket/prefix` or `gs://bucket/prefix`."""
    scheme = re.match(r"([a-z0-9]+)://", str(location))
    if scheme is None:
        from trainables.store.local_files import LocalFiles

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
