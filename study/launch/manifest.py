"""The manifest of a launch: what ran, with which code, where and when.

`<store>/studies/<name>/launches/<utc timestamp>-<id>.json`, written when the launch begins, again while it runs and
once more when it ends. So a launch that was killed is known by a manifest without an end that nobody renews.
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

#: From one renewal of a running launch's manifest to the next.
RENEWAL_SECONDS = 30.0

#: A manifest that was not renewed for so long belongs to a launch that is dead.
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
    planned: int  # trials that the launch was to run
    trials: Sequence[dict[str, Any]] = ()  # that ended: trial_id, title, status, seconds, found
    study_file: str
    code: dict[str, Any]
    working_directory: dict[str, Any] | None  # its checkout, where losses of one's own may lie
    packages: dict[str, str]
    machine: dict[str, Any]


def new_manifest(*, study: str, study_file: str, runner: str, workers: int, planned: int) -> Manifest:
    """The manifest of a launch that begins now, in this process."""
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
    """Where the manifests of a study lie."""
    return store / "studies" / name / "launches"


def all_launches_folders(store: Path) -> list[Path]:
    """Those of every study in a store."""
    return sorted(store.glob("studies/*/launches"))


def manifest_path(folder: Path, manifest: Manifest) -> Path:
    """The file of a launch in its study's folder of launches."""
    return folder / f"{manifest.launch}.json"


def cancel_path(folder: Path, manifest: Manifest) -> Path:
    """A file by which the launch is asked to stop; it looks for it every second."""
    return folder / f"{manifest.launch}.cancel"


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write it, whole or not at all."""
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False)
    return replace_file(manifest_path(folder, manifest), text + "\n")


def read_manifests(folder: Path) -> list[Manifest]:
    """All launches of a study in the order of their start; files that hold no manifest are left out."""
    found = (_read(path) for path in sorted(folder.glob("*.json")))
    return [manifest for manifest in found if manifest is not None]


def running_launches(folder: Path) -> list[Manifest]:
    """The launches of a study that run now, on this machine or on another that shares the store."""
    return [manifest for manifest in read_manifests(folder) if is_running(folder, manifest)]


def is_running(folder: Path, manifest: Manifest) -> bool:
    """Whether a launch has not ended, renews its manifest and, if it is on this machine, has its process."""
    if manifest.ended_at is not None:
        return False
    try:
        age = time.time() - manifest_path(folder, manifest).stat().st_mtime
    except OSError:
        return False
    here = manifest.machine.get("node") == socket.gethostname()
    return age < _DEAD_SECONDS and (not here or _has_process(manifest.pid))


def _has_process(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _read(path: Path) -> Manifest | None:
    known = {field.name for field in fields(Manifest)}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(**{name: value for name, value in told.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
