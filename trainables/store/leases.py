"""Leases on running trials. Launches that share a store use them so that no trial runs twice.

A lease is a file `leases/<trial_id>.<generation>`; only the highest generation is valid. The method rests on
`Files.put`: if several processes create the same name, exactly one succeeds. Acquiring a free trial creates
generation 0. Taking over an expired lease creates the next generation, and so does renewing a lease. So if an owner
renews too late while another owner takes over, both try to create the same name, and only one succeeds.

A slow process may create a generation that others created, released and removed long before. So a process checks
again after it has created a generation. It holds the lease only if there is no higher generation, and if the previous
generation is unchanged, which a unique token in the file shows. For this check, owners remove old generations from
the lowest up, and keep the one before their own.

Clocks: a lease has expired when its file is older than `seconds` by the clock of the file system or object store.
This clock stamps both the lease's file and the file with which it is compared, so the clocks of the machines may
differ. An owner counts `seconds` by its own monotonic clock from before its request, so its own count ends first.

If an owner's process has ended, another process on the same machine need not wait for the expiry, since the lease
contains the name of the owner's process. This name consists of the boot id of the kernel, the namespace of process
ids (one for each container), the process id and its start time. So no two processes on any machine have the same
name.

All launches of a store must use the same `seconds`. Leases only save work: if a clock jumps and two processes run the
same trial, the store keeps the first record.
"""

import json
import logging
import os
import re
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainables.machine_faults import reason_of
from trainables.store.files import ID_PATTERN, ID_WORDS, DamagedRecordError, Files

_log = logging.getLogger(__name__)

#: Seconds from the last renewal of a lease to its expiry. A trial may wait so long after its worker was killed.
LEASE_SECONDS = 60.0

_NAME = re.compile(rf"leases/(?P<trial_id>{ID_PATTERN})\.(?P<generation>0|[1-9][0-9]{{0,8}})")

#: The highest generation. Renewals do not reach it in 600 years, so only a stranger's file has it.
_LAST_GENERATION = 999_999_999

#: The most bytes of the file of a lease.
_MOST_CONTENT = 10_000

#: The tolerance for time stamps: object stores stamp in whole seconds.
_RESOLUTION_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Lease:
    """One generation of the lease on a trial, of this owner or of another."""

    trial_id: str
    generation: int
    content: bytes | None  # None if the file was removed before it could be read
    until: float = 0.0  # only for this owner's leases: the end, by the monotonic clock

    @property
    def process(self) -> str:
        """The name of the owner's process; "" if the file does not contain it, for example after a power failure."""
        try:
            return str(json.loads(self.content or b"{}").get("process", ""))
        except (ValueError, AttributeError, RecursionError):  # some other JSON text
            return ""

    @property
    def name(self) -> str:
        """The name of the lease's file."""
        return _name(self.trial_id, self.generation)


class Leases:
    """The leases of one owner, such as one worker. All methods raise `OSError` if the store cannot be used."""

    def __init__(self, files: Files, *, owner: str, seconds: float = LEASE_SECONDS) -> None:
        self._files, self._owner, self._seconds = files, owner, seconds
        self._held: dict[str, Lease] = {}
        self._lock = threading.Lock()  # a thread renews while another acquires or releases

    def held(self) -> frozenset[str]:
        """The trials whose leases this owner certainly still holds."""
        now = time.monotonic()
        return frozenset(trial_id for trial_id, lease in self._held.copy().items() if now < lease.until)

    def taken(self, trial_ids: Iterable[str]) -> frozenset[str]:
        """The subset of these trials on which another owner holds a lease now."""
        standing = self._standing(set(trial_ids) - self.held())
        return frozenset(standing) - self._expired(list(standing.values()))

    def acquire(self, trial_ids: Iterable[str]) -> frozenset[str]:
        """Take the leases on the free trials among these, and return the ids of the trials taken.

        Raises `ValueError` for a text that is no id: nobody would see a lease on it.
        """
        with self._lock:
            asked = time.monotonic()
            wanted = list(dict.fromkeys(trial_ids))
            for trial_id in wanted:
                if not re.fullmatch(ID_PATTERN, trial_id):
                    raise ValueError(f"leases: got {trial_id!r}, must be {ID_WORDS}")
            standing = self._standing(set(wanted))
            expired = self._expired(list(standing.values()))
            for trial_id in expired:
                if standing[trial_id].generation == _LAST_GENERATION:  # no other generation could follow
                    self._files.delete(standing.pop(trial_id).name)
            before = {t: standing.get(t) for t in wanted if t not in standing or t in expired}
            return self._advance(before, asked)

    def renew(self) -> frozenset[str]:
        """Renew all leases of this owner. Returns the renewed ones; others took over the rest, which are dropped."""
        with self._lock:
            renewed = self._advance(dict(self._held), time.monotonic())
            self._held = {trial_id: self._held[trial_id] for trial_id in renewed}
            return renewed

    def release(self, trial_ids: Iterable[str] | None = None) -> None:
        """Release the leases on these trials, or all leases."""
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
        """Renew the leases in the background during the block, and release all leases at its end."""
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
            except (OSError, MemoryError) as error:  # they will expire; the error of the block matters more
                _log.warning("leases were not released: %s", reason_of(error))

    def _renew_until(self, done: threading.Event) -> None:
        while not done.wait(self._seconds / 3):
            try:
                self.renew()
            except (OSError, MemoryError) as error:  # the next turn tries again
                _log.warning("leases were not renewed: %s", reason_of(error))

    def _advance(self, before: dict[str, Lease | None], asked: float) -> frozenset[str]:
        """Create the generation after each lease in `before`, and keep those that pass the check.

        The module's docstring describes the check. Returns the ids of the trials whose leases are held now.
        """
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
        content = {"owner": self._owner, "token": uuid.uuid4().hex, "process": this_process()}
        return Lease(
            trial_id=trial_id,
            generation=previous.generation + 1 if previous else 0,
            content=json.dumps(content).encode(),
            until=asked + self._seconds,
        )

    def _generations(self) -> dict[str, list[int]]:
        """The existing generations of each trial, in ascending order."""
        found: dict[str, list[int]] = {}
        for name in self._files.names("leases"):
            if match := _NAME.fullmatch(name):
                found.setdefault(match["trial_id"], []).append(int(match["generation"]))
        return {trial_id: sorted(generations) for trial_id, generations in found.items()}

    def _standing(self, wanted: set[str]) -> dict[str, Lease]:
        """The lease with the highest generation, for each wanted trial that has one."""
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
        """The trials of these leases whose lease has expired, or whose owner's process ended on this machine.

        A lease that was removed in the meantime counts as held.
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
            return self._files.read(name, _MOST_CONTENT)
        except FileNotFoundError:
            return None
        except DamagedRecordError:  # such as a pipe of this name: a lease of an unknown owner
            return b""

    def _remove_below(self, lease: Lease, present: list[int]) -> None:
        """Remove all generations below the previous one."""
        for generation in present:
            if generation < lease.generation - 1:
                self._files.delete(_name(lease.trial_id, generation))


def is_lease(name: str) -> bool:
    """Whether a file's name, with its folder, is that of a lease."""
    return _NAME.fullmatch(name) is not None


def _name(trial_id: str, generation: int) -> str:
    return f"leases/{trial_id}.{generation}"


def this_process() -> str:
    """The unique name of this process; "" on a system without /proc."""
    status, pid = _status(os.getpid()), os.getpid()
    return f"{place}/{pid}/{status[1]}" if (place := _place()) and status else ""


def has_ended(process: str) -> bool:
    """Whether a process ran on this machine and has ended. False if this is unknown, as for another machine."""
    place, pid, start = process.rsplit("/", 2) if process.count("/") == 3 else ("", "", "")
    if not place or place != _place() or not re.fullmatch("[1-9][0-9]{0,99}", pid):
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:  # the process of another user, which /proc may hide
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
    """The state and the start time in /proc/<pid>/stat. The name before them may contain any bytes."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].decode("ascii").split()
    except OSError:
        return None
    return fields[0], fields[19]
