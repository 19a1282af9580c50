"""Leases on running trials, by which launches of one store share the work without running a trial twice.

A lease is a file `leases/<trial_id>.<generation>`; the highest generation stands. All rests on `Files.put`, which
lets one of many create a name: taking a trial that nobody holds creates generation 0, taking one over whose
lease has expired creates the next, and so does renewing one's own. So an owner that renews too late and another
that takes over race for one name, and one of them gets it.

Who was slow may create a generation that others had, released and removed long before. So whoever created one
looks again: it holds the lease only when no generation is higher, and when the one before, unlike any other by a
token in it, is still as it was. Owners therefore remove old generations from the lowest up, and keep the one before
their own.

Clocks: a lease has expired when its file is older than `seconds` by the clock of the file system or object store,
which stamps both this file and the one that it is compared with; the clocks of the machines may differ as they
like. An owner counts `seconds` from before it asked for the lease, by its own monotonic clock, so it gives up first.
Nobody need wait that long for an owner whose process ended on the same machine: a lease names it. Its name holds the
boot of the machine's kernel, the namespace of process ids (one for each container), the process id and the time of
its start, so no other process, here or elsewhere, now or later, has that name.

All launches of a store must use the same `seconds`. Leases only save work: should a clock jump and two run one
trial, the first record stands as ever.
"""

import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainables.store.files import Files

_log = logging.getLogger(__name__)

#: From the last renewal of a lease to its expiry: what a trial waits after its worker was killed.
LEASE_SECONDS = 60.0

#: Object stores stamp in whole seconds.
_RESOLUTION_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Lease:
    """One generation of the lease of a trial, held or standing."""

    trial_id: str
    generation: int
    content: bytes | None  # None when it was gone before it could be read
    until: float = 0.0  # of one's own: when it ends, by the monotonic clock

    @property
    def process(self) -> str:
        """The name of its owner's process; "" where it says none, as after a power failure."""
        try:
            return str(json.loads(self.content or b"{}").get("process", ""))
        except ValueError:
            return ""

    @property
    def name(self) -> str:
        """Its file."""
        return _name(self.trial_id, self.generation)


class Leases:
    """The leases of one owner, such as one worker. Everything raises `OSError` when the store refuses."""

    def __init__(self, files: Files, *, owner: str, seconds: float = LEASE_SECONDS) -> None:
        self._files, self._owner, self._seconds = files, owner, seconds
        self._held: dict[str, Lease] = {}
        self._lock = threading.Lock()  # a thread renews while another acquires or releases

    def held(self) -> frozenset[str]:
        """Trials whose lease is surely still one's own."""
        now = time.monotonic()
        return frozenset(trial_id for trial_id, lease in self._held.copy().items() if now < lease.until)

    def taken(self, trial_ids: Iterable[str]) -> frozenset[str]:
        """Those of these trials that another owner holds now."""
        standing = self._standing(set(trial_ids) - self.held())
        return frozenset(standing) - self._expired(list(standing.values()))

    def acquire(self, trial_ids: Iterable[str]) -> frozenset[str]:
        """Take the leases of those trials that nobody holds, and return which these are."""
        with self._lock:
            asked = time.monotonic()
            wanted = list(dict.fromkeys(trial_ids))
            standing = self._standing(set(wanted))
            expired = self._expired(list(standing.values()))
            before = {t: standing.get(t) for t in wanted if t not in standing or t in expired}
            return self._advance(before, asked)

    def renew(self) -> frozenset[str]:
        """Extend all leases held, and return those that nobody else had taken over."""
        with self._lock:
            renewed = self._advance(dict(self._held), time.monotonic())
            self._held = {trial_id: self._held[trial_id] for trial_id in renewed}
            return renewed

    def release(self, trial_ids: Iterable[str] | None = None) -> None:
        """Give leases back: these, or all."""
        with self._lock:
            given_back = self._held.keys() if trial_ids is None else self._held.keys() & set(trial_ids)
            leases = [self._held.pop(trial_id) for trial_id in sorted(given_back)]
            generations = self._generations() if leases else {}
            for lease in leases:
                for generation in generations.get(lease.trial_id, []):
                    if generation <= lease.generation:
                        self._files.delete(_name(lease.trial_id, generation))

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew in the background, and release everything in the end."""
        done = threading.Event()
        thread = threading.Thread(target=self._renew_until, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            try:
                self.release()
            except OSError as error:  # it will expire; what the body raised or returned matters more
                _log.warning("leases were not released: %s", error)

    def _renew_until(self, done: threading.Event) -> None:
        while not done.wait(self._seconds / 3):
            try:
                self.renew()
            except OSError as error:
                _log.warning("leases were not renewed: %s", error)

    def _advance(self, before: dict[str, Lease | None], asked: float) -> frozenset[str]:
        """Create the generation after each of `before`, and keep those by which the lease is really held."""
        created = {}
        for trial_id, previous in before.items():
            lease = self._next(trial_id, previous, asked)
            if self._files.put(lease.name, lease.content or b"", durable=False):
                created[trial_id] = lease
        generations = self._generations() if created else {}
        confirmed = set()
        for trial_id, lease in created.items():
            present, previous = generations.get(trial_id, []), before[trial_id]
            if present[-1:] == [lease.generation] and (previous is None or self._stands(previous)):
                self._held[trial_id] = lease
                confirmed.add(trial_id)
                self._remove_below(lease, present)
            else:
                self._files.delete(lease.name)
        return frozenset(confirmed)

    def _next(self, trial_id: str, previous: Lease | None, asked: float) -> Lease:
        told = {"owner": self._owner, "token": uuid.uuid4().hex, "process": this_process()}
        return Lease(
            trial_id=trial_id,
            generation=previous.generation + 1 if previous else 0,
            content=json.dumps(told).encode(),
            until=asked + self._seconds,
        )

    def _generations(self) -> dict[str, list[int]]:
        """All generations of each trial that there are now, ascending."""
        found: dict[str, list[int]] = {}
        for name in self._files.names("leases"):
            trial_id, _, generation = name.rpartition("/")[2].partition(".")
            if generation.isdecimal():
                found.setdefault(trial_id, []).append(int(generation))
        return {trial_id: sorted(generations) for trial_id, generations in found.items()}

    def _standing(self, wanted: set[str]) -> dict[str, Lease]:
        """The highest generation of each trial that has one."""
        return {
            trial_id: Lease(
                trial_id=trial_id,
                generation=generations[-1],
                content=self._read(_name(trial_id, generations[-1])),
            )
            for trial_id, generations in self._generations().items()
            if trial_id in wanted
        }

    def _expired(self, standing: list[Lease]) -> set[str]:
        """Of these leases, the trials whose lease has expired, or whose owner ended on this machine.

        One that is gone meanwhile counts as held.
        """
        there = [lease for lease in standing if lease.content is not None]
        ended = {lease.trial_id for lease in there if has_ended(lease.process)}
        ages = self._files.ages([lease.name for lease in there if lease.trial_id not in ended])
        limit = self._seconds + _RESOLUTION_SECONDS
        return ended | {lease.trial_id for lease in there if ages.get(lease.name, 0.0) > limit}

    def _stands(self, lease: Lease) -> bool:
        return self._read(lease.name) == lease.content

    def _read(self, name: str) -> bytes | None:
        try:
            return self._files.read(name)
        except FileNotFoundError:
            return None

    def _remove_below(self, lease: Lease, present: list[int]) -> None:
        """Forget what came before the generation before this one."""
        for generation in present:
            if generation < lease.generation - 1:
                self._files.delete(_name(lease.trial_id, generation))


def _name(trial_id: str, generation: int) -> str:
    return f"leases/{trial_id}.{generation}"


def this_process() -> str:
    """The name of this process; "" where the system does not tell (it has no /proc)."""
    status, pid = _status(os.getpid()), os.getpid()
    return f"{place}/{pid}/{status[1]}" if (place := _place()) and status else ""


def has_ended(process: str) -> bool:
    """Whether a process ran on this machine and is gone. False wherever that is unknown, as of another machine."""
    place, pid, start = process.rsplit("/", 2) if process.count("/") == 3 else ("", "", "")
    if not place or place != _place():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's, which /proc may hide
        pass
    status = _status(int(pid))
    return status is not None and (status[0] in "ZX" or status[1] != start)


def _place() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def _status(pid: int) -> tuple[str, str] | None:
    """State and start time, from /proc/<pid>/stat; the name before them may hold blanks and brackets."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], fields[19]
