"""The files of a store in an object store: `s3://bucket/prefix`, or `gs://bucket/prefix` (untested: no emulator).

`put` is a conditional create (If-None-Match on S3), which stores either the whole object or nothing. Credentials,
region and endpoint come from the same environment variables as for the provider's own tools (AWS_ACCESS_KEY_ID,
AWS_ENDPOINT_URL and so on; AWS_ALLOW_HTTP=true for an endpoint without TLS).
"""

import errno
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import obstore
from obstore.store import from_url

from trainables.atomic import is_temporary, temporary_path
from trainables.store.errors import MOST_BYTES, DamagedRecordError
from trainables.suggestion import first_line

#: The error for a store that does not answer comes after this time; the library's default is three minutes.
_RETRY: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}

_READERS = 32


@dataclass(frozen=True)
class ObjectFiles:
    """The objects under a prefix; `Files` describes each operation. Has no open connection, so it can be pickled."""

    url: str

    def prepare(self) -> None:
        """Check that an object can be created, and that the store refuses a second create of the same name."""
        probe = temporary_path(Path("records", "probe")).as_posix()
        try:
            self.put(probe, b"first")
            if self.put(probe, b"second"):
                raise OSError(errno.ENOTSUP, "it overwrites instead of refusing a second create")
        finally:
            self.delete(probe)

    def put(self, name: str, content: bytes, *, durable: bool = True) -> bool:
        """Create an object. It is always durable, whatever `durable` is."""
        with _translated():
            try:
                obstore.put(_client(self.url), name, content, mode="create", use_multipart=False)
                return True
            except obstore.exceptions.AlreadyExistsError:
                pass  # by another writer, or by this one if the response to its first try was lost
        try:
            return self.read(name) == content
        except FileNotFoundError:
            return False

    def names(self, folder: str) -> list[str]:
        """The names of the objects in a folder, sorted, without probes."""
        with _translated():
            found = [meta["path"] for page in obstore.list(_client(self.url), f"{folder}/") for meta in page]
        return sorted(name for name in found if not is_temporary(name.removeprefix(f"{folder}/")))

    def read(self, name: str, most: int = MOST_BYTES) -> bytes:
        """The whole content of an object."""
        with _translated(may_be_gone=True):
            found = obstore.get(_client(self.url), name)
            if (size := found.meta["size"]) > most:
                raise DamagedRecordError(f"{name}: it has {size:,} bytes, at most {most:,} are read")
            return bytes(found.bytes())

    def read_each(self, names: Sequence[str], most: int = MOST_BYTES) -> Iterator[bytes | DamagedRecordError]:
        """The contents of objects, in order. Many are read at a time, since each read waits for the network."""

        def read(name: str) -> bytes | DamagedRecordError:
            try:
                return self.read(name, most)
            except DamagedRecordError as error:
                return error

        with ThreadPoolExecutor(_READERS) as readers:
            yield from readers.map(read, names)

    def delete(self, name: str) -> None:
        """Remove an object."""
        with suppress(FileNotFoundError), _translated(may_be_gone=True):
            obstore.delete(_client(self.url), name)

    def move(self, name: str, target: str) -> None:
        """Copy an object to another name within the store, and remove the first."""
        with _translated(may_be_gone=True):
            obstore.rename(_client(self.url), name, target)

    def ages(self, names: Sequence[str]) -> dict[str, float]:
        """The ages of objects by the store's own time stamps, in whole seconds."""
        if not names:
            return {}
        probe = temporary_path(Path("leases", "now")).as_posix()
        self.put(probe, b"")
        now = self._modified(probe)
        self.delete(probe)
        assert now is not None
        stamps = {name: self._modified(name) for name in names}
        return {name: now - stamp for name, stamp in stamps.items() if stamp is not None}

    def sweep_temporary(self, older_than: float) -> None:
        """Does nothing: there are no partial objects, and probes are empty and never read."""

    def _modified(self, name: str) -> float | None:
        with suppress(FileNotFoundError), _translated(may_be_gone=True):
            return float(obstore.head(_client(self.url), name)["last_modified"].timestamp())
        return None


@cache
def _client(url: str) -> Any:
    return from_url(url, retry_config=_RETRY)


@contextmanager
def _translated(*, may_be_gone: bool = False) -> Iterator[None]:
    """Raise the library's errors as `OSError` with one line. `may_be_gone`: `FileNotFoundError` is left unchanged."""
    try:
        yield
    except (obstore.exceptions.BaseError, FileNotFoundError) as error:
        if may_be_gone and isinstance(error, FileNotFoundError):
            raise
        raise OSError(errno.EIO, first_line(error).split(": <?xml")[0][:300]) from error
