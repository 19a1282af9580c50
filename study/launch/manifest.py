"""The manifest of a launch: what ran, with which code, where and when.

Its file is `<store>/studies/<name>/launches/<utc timestamp>-<id>.json`. The launch writes it at its start, renews it
while it runs, and writes it again at its end. So a manifest without an end that is no longer renewed belongs to a
launch that was killed.

A manifest may also come from another person, in a copied store. A file that no launch writes is not read: it is no
regular file, is too large, has another launch's name, or has a value of a wrong type. Nothing signals the process
that a manifest names: `study cancel` creates a file beside the manifest, and the launch itself looks for it.
"""

import json
import os
import socket
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter

from study.console import say_error
from study.launch.machine import describe_checkout, describe_code, describe_machine, package_versions
from study.spec.schema import Name
from trainables.atomic import replace_file
from trainables.machine_faults import is_of_the_machine
from trainables.reading import TEXT_BYTES, read_bytes
from trainables.store.leases import has_ended, this_process

#: Seconds between two renewals of a running launch's manifest.
RENEWAL_SECONDS = 30.0

#: A launch whose manifest was not renewed for so many seconds counts as dead.
_DEAD_SECONDS = 4 * RENEWAL_SECONDS


def _check_moment(text: str) -> str:
    if datetime.fromisoformat(text).utcoffset() is None:
        raise ValueError("it has no time zone")
    return text


def _check_ended(trial: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(trial.get("trial_id"), str) or not isinstance(trial.get("title"), str | None):
        raise ValueError("it does not name a trial")
    return trial


_Moment = Annotated[str, AfterValidator(_check_moment)]
_Ended = Annotated[dict[str, Any], AfterValidator(_check_ended)]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One launch of a study. Times are UTC in ISO 8601. What is read from a file has exactly these types."""

    launch: Name  # <utc timestamp>-<id>, the name of its file
    study: Name
    command: Sequence[str]
    pid: Annotated[int, Field(ge=0, lt=2**31)]
    process: str = ""  # its unique name (`trainables.store.leases.this_process`); "" if unknown
    started_at: _Moment
    #: How long it had run when this was written, by a clock that nobody sets. `ended_at` is so long after the start.
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    #: The seconds that it still needed when this was written; None before this is known, and at the end.
    seconds_left: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    ended_at: _Moment | None = None
    outcome: str | None = None  # finished | stopped | failed
    runner: str
    workers: int
    planned: int  # number of trials that the launch was to run
    trials: Sequence[_Ended] = ()  # the trials that ended: trial_id, title, status, seconds, found
    study_file: str
    code: dict[str, Any]
    working_directory: dict[str, Any] | None  # its checkout, which may contain the user's own losses
    packages: Mapping[str, str | None]
    machine: dict[str, Any]


_FORM = TypeAdapter(Manifest)


def new_manifest(*, study: str, study_file: str, runner: str, workers: int, planned: int) -> Manifest:
    """The manifest of a launch that starts now in this process."""
    now = datetime.now(UTC)
    return Manifest(
        launch=f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
        study=study,
        command=[_as_text(word) for word in (Path(sys.argv[0]).name, *sys.argv[1:])],
        pid=os.getpid(),
        process=this_process(),
        started_at=now.isoformat(timespec="seconds"),
        runner=runner,
        workers=workers,
        planned=planned,
        study_file=study_file,
        code=describe_code(),
        working_directory=describe_checkout(Path.cwd()),
        packages=package_versions(),
        machine=describe_machine(),
    )


def _as_text(word: str) -> str:
    """A word of the command line, which may not be valid Unicode, as text for JSON."""
    return os.fsencode(word).decode(errors="backslashreplace")


def launches_folder(store: Path, name: str) -> Path:
    """The folder of a study's manifests."""
    return store / "studies" / name / "launches"


def all_launches_folders(store: Path) -> list[Path]:
    """The manifest folders of all studies in a store."""
    return sorted(store.glob("studies/*/launches"))


def manifest_path(folder: Path, manifest: Manifest) -> Path:
    """The file of a manifest in `folder`, its study's folder of launches."""
    return folder / f"{manifest.launch}.json"


def cancel_path(folder: Path, manifest: Manifest) -> Path:
    """The file that requests the launch to stop. The launch looks for it every second."""
    return folder / f"{manifest.launch}.cancel"


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write a manifest atomically, and return its path."""
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False)
    return replace_file(manifest_path(folder, manifest), text + "\n")


def read_manifests(folder: Path) -> list[Manifest]:
    """The manifests of all launches of a study, in the order of their start. Other files are left out."""
    found = (_read(path) for path in sorted(folder.glob("*.json")))
    return [manifest for manifest in found if manifest is not None]


def say_unread(folder: Path) -> None:
    """Print one line about each file in `folder` that has a manifest's name and is none."""
    for path in sorted(folder.glob("*.json")):
        if _read(path) is None:
            say_error(f"left out: {path} is not the manifest of a launch")


def running_launches(folder: Path) -> list[Manifest]:
    """The launches of a study that run now, on this machine or on another that shares the store."""
    return [manifest for manifest in read_manifests(folder) if is_running(folder, manifest)]


def is_running(folder: Path, manifest: Manifest) -> bool:
    """Whether a launch is running.

    A running launch has not ended and renews its manifest. If it is on this machine, its process exists. After the
    clock was set, manifests may be of the future; then those that are not renewed are as old as they are ahead.
    """
    if manifest.ended_at is not None:
        return False
    try:
        age = time.time() - manifest_path(folder, manifest).stat().st_mtime
    except FileNotFoundError:
        return False
    return abs(age) < _DEAD_SECONDS and not _has_ended(manifest)


def _has_ended(manifest: Manifest) -> bool:
    """Whether the launch's process ran on this machine and has ended."""
    if manifest.process:
        return has_ended(manifest.process)
    return manifest.machine.get("node") == socket.gethostname() and not _has_process(manifest.pid)


def _has_process(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # the process of another user
        return True
    return True


def _read(path: Path) -> Manifest | None:
    try:
        if path.is_symlink():  # a launch writes no links
            return None
        content = read_bytes(path, TEXT_BYTES)
        manifest = _FORM.validate_json(content, strict=True)
    except OSError as error:
        if is_of_the_machine(error):  # otherwise a running launch would seem not to run
            raise
        return None
    except ValueError:  # pydantic's errors are ValueErrors
        return None
    return manifest if manifest.launch == path.stem else None
