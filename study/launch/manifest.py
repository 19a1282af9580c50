"""The manifest of a launch: what ran, with which code, where and when.

Its file is `<store>/studies/<name>/launches/<utc timestamp>-<id>.json`. The launch writes it at its start, renews it
while it runs, and writes it again at its end. So a manifest without an end that is no longer renewed belongs to a
launch that was killed.
"""

import json
import os
import socket
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from study.launch.machine import describe_checkout, describe_code, describe_machine, package_versions
from trainables.atomic import replace_file
from trainables.machine_faults import is_of_the_machine

#: Seconds between two renewals of a running launch's manifest.
RENEWAL_SECONDS = 30.0

#: A launch whose manifest was not renewed for so many seconds counts as dead.
_DEAD_SECONDS = 4 * RENEWAL_SECONDS


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One launch of a study. Times are UTC in ISO 8601."""

    launch: str  # <utc timestamp>-<id>, the name of its file
    study: str
    command: Sequence[str]
    pid: int
    started_at: str
    ended_at: str | None = None
    outcome: str | None = None  # finished | stopped | failed
    runner: str
    workers: int
    planned: int  # number of trials that the launch was to run
    trials: Sequence[dict[str, Any]] = ()  # the trials that ended: trial_id, title, status, seconds, found
    study_file: str
    code: dict[str, Any]
    working_directory: dict[str, Any] | None  # its checkout, which may contain the user's own losses
    packages: dict[str, str]
    machine: dict[str, Any]


def new_manifest(*, study: str, study_file: str, runner: str, workers: int, planned: int) -> Manifest:
    """The manifest of a launch that starts now in this process."""
    now = datetime.now(UTC)
    return Manifest(
        launch=f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
        study=study,
        command=[Path(sys.argv[0]).name, *sys.argv[1:]],
        pid=os.getpid(),
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


def running_launches(folder: Path) -> list[Manifest]:
    """The launches of a study that run now, on this machine or on another that shares the store."""
    return [manifest for manifest in read_manifests(folder) if is_running(folder, manifest)]


def is_running(folder: Path, manifest: Manifest) -> bool:
    """Whether a launch is running.

    A running launch has not ended and renews its manifest. If it is on this machine, its process exists.
    """
    if manifest.ended_at is not None:
        return False
    try:
        age = time.time() - manifest_path(folder, manifest).stat().st_mtime
    except FileNotFoundError:
        return False
    here = manifest.machine.get("node") == socket.gethostname()
    return age < _DEAD_SECONDS and (not here or _has_process(manifest.pid))


def _has_process(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # the process of another user
        return True
    return True


def _read(path: Path) -> Manifest | None:
    known = {field.name for field in fields(Manifest)}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(**{name: value for name, value in content.items() if name in known})
    except OSError as error:
        if is_of_the_machine(error):  # otherwise a running launch would seem not to run
            raise
        return None
    except (ValueError, TypeError, AttributeError):
        return None
