"""`study gc`: removes files of a store that no study needs any more. It never removes records.

A file that changed within the last hour, or since the oldest running launch began, stays, because it may be in use.
"""

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from study.cli.options import JSON, STORE, guarded
from study.console import CONSOLE, format_bytes, say, say_error, say_json
from study.errors import DONE, FAILED, StudyError
from trainables.atomic import is_temporary
from trainables.store.artefacts import checkpoint_folder, curve_path, embeddings_path, kept_path
from trainables.store.leases import is_lease

if TYPE_CHECKING:
    from trainables.store.records import RecordStore

_IN_USE_SECONDS, _DAY_SECONDS = 3600.0, 86400.0

#: Statuses of trials that need no checkpoint. A crashed trial may continue from its checkpoint on a retry.
_ENDED = ("ok", "diverged")

_WORDS = {
    "checkpoint": "checkpoints of trials that have ended",
    "encoder": "kept encoders",
    "curve": "learning curves",
    "embeddings": "embeddings of sphere trials",
    "temporary": "temporary files of processes that were killed",
    "tune": "folders of Ray Tune of launches that are dead",
    "lease": "leases of workers that were killed",
}


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """A file or a whole folder that can be removed."""

    path: Path
    kind: str  # a key of `_WORDS`
    size: int  # bytes
    changed: float  # seconds since 1970


@dataclass(frozen=True, kw_only=True)
class Leftovers:
    """Files that can be removed now, and files that must stay for now."""

    go: tuple[Leftover, ...]
    stay: tuple[Leftover, ...]
    why: str  # why the files in `stay` stay


@click.command("gc")
@STORE
@click.option("--encoders", is_flag=True, help="Also remove kept encoders of trials that have ended.")
@click.option(
    "--curves",
    is_flag=True,
    help="Also remove learning curves and sphere embeddings of trials that have ended.",
)
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="DAYS",
    help="Only remove files that did not change for this many days.  [default: any age above an hour]",
)
@click.option("--dry-run", is_flag=True, help="List the files that would be removed, and remove nothing.")
@JSON
@guarded
def command(store: str, encoders: bool, curves: bool, older_than: float, dry_run: bool, as_json: bool) -> int:
    """Remove files from the store that no study needs any more.

    Records always stay. The command removes checkpoints of trials that have ended, temporary files and leases of dead
    processes, and Ray Tune's folders of dead launches. Files that changed within the last hour, or since the oldest
    running launch began, stay too. Exit code 1 when a file could not be removed.
    """
    from trainables.store.records import open_store

    record_store = open_store(store)
    if not record_store.path.is_dir():
        raise StudyError(f"gc: there is no store at {record_store.path}")
    kept = [
        kind for kind, wanted in (("encoder", encoders), ("curve", curves), ("embeddings", curves)) if wanted
    ]
    leftovers = find_leftovers(record_store, kept=kept, older_than=older_than * _DAY_SECONDS)
    found = leftovers.go
    removed = [] if dry_run else [leftover for leftover in found if _remove(leftover)]
    code = DONE if dry_run or len(removed) == len(found) else FAILED
    if as_json:
        say_json(_summary(found, removed) | {"staying": len(leftovers.stay)})
        return code
    if not found:
        CONSOLE.print("Nothing to remove.")
    elif dry_run:
        _list(found)
    else:
        _show(removed)
    if leftovers.stay:
        say(_staying_line(leftovers))
    return code


def _remove(leftover: Leftover) -> bool:
    try:
        if leftover.path.is_dir() and not leftover.path.is_symlink():
            shutil.rmtree(leftover.path)
        else:
            leftover.path.unlink(missing_ok=True)
    except OSError as error:
        say_error(f"gc: cannot remove {leftover.path} ({error.strerror})")
        return False
    return True


def _summary(found: Sequence[Leftover], removed: Sequence[Leftover]) -> dict[str, object]:
    gone = set(removed)
    return {
        "bytes": sum(each.size for each in found),
        "removed_bytes": sum(each.size for each in removed),
        "files": [
            {"path": str(each.path), "kind": each.kind, "bytes": each.size, "removed": each in gone}
            for each in found
        ],
    }


def _staying_line(leftovers: Leftovers) -> str:
    if len(leftovers.stay) == 1:
        return f"1 leftover is {leftovers.why} and stays."
    return f"{len(leftovers.stay)} leftovers are {leftovers.why} and stay."


def _list(found: Sequence[Leftover]) -> None:
    for each in found:
        say(f"{format_bytes(each.size):>9}  {each.kind:<10}  {each.path}")
    CONSOLE.print(
        f"Would remove these {len(found)}: {format_bytes(sum(each.size for each in found))} in all."
    )


def _show(removed: Sequence[Leftover]) -> None:
    for kind, words in _WORDS.items():
        sizes = [each.size for each in removed if each.kind == kind]
        if sizes:
            say(f"Removed {words}: {len(sizes)}, {format_bytes(sum(sizes))}")
    CONSOLE.print(f"Freed {format_bytes(sum(each.size for each in removed))}; every record is where it was.")


def find_leftovers(store: "RecordStore", *, kept: Sequence[str], older_than: float) -> Leftovers:
    """Find temporary files, Ray Tune's folders of dead launches, leases, and checkpoints of ended trials.

    `kept` names further kinds ("encoder", "curve", "embeddings") whose files are included if their trial has ended.
    `older_than` is the minimum age in seconds.
    """
    found = [*_temporary(store.path), *_tune(store.path), *_leases(store.path), *_artefacts(store, kept)]
    age, running = max(_IN_USE_SECONDS, older_than), _oldest_running(store.path)
    limit = min(time.time() - age, running)
    why = (
        "changed since the start of a launch that still runs"
        if running == limit
        else f"younger than {_age_in_words(age)}"
    )
    return Leftovers(
        go=tuple(leftover for leftover in found if leftover.changed < limit),
        stay=tuple(leftover for leftover in found if leftover.changed >= limit),
        why=why,
    )


def _age_in_words(seconds: float) -> str:
    return "an hour" if seconds == _IN_USE_SECONDS else f"{seconds / _DAY_SECONDS:g} days"


def _oldest_running(store: Path) -> float:
    """The start of the oldest running launch, in seconds since 1970; infinity if no launch runs."""
    from study.launch.manifest import all_launches_folders, running_launches

    running = (each for folder in all_launches_folders(store) for each in running_launches(folder))
    starts = [datetime.fromisoformat(manifest.started_at).timestamp() for manifest in running]
    return min(starts, default=float("inf"))


def _temporary(store: Path) -> Iterator[Leftover]:
    """Temporary files and folders of killed processes, anywhere in the store."""
    for folder, folders, files in os.walk(store):
        found = [name for name in (*folders, *files) if is_temporary(name)]
        folders[:] = [name for name in folders if name not in found and Path(folder, name) != store / "tune"]
        yield from _leftovers("temporary", (Path(folder, name) for name in found))


def _tune(store: Path) -> Iterator[Leftover]:
    yield from _leftovers("tune", _inside(store / "tune", "*"))


def _leases(store: Path) -> Iterator[Leftover]:
    """Leases of killed workers. A live worker renews its lease three times a minute, under a new name."""
    found = (path for path in _inside(store / "leases", "*") if is_lease(f"leases/{path.name}"))
    yield from _leftovers("lease", found)


def _inside(folder: Path, pattern: str) -> Iterator[Path]:
    """The files in a folder of the store. A link to a folder elsewhere has none: nothing outside is removed."""
    return iter(()) if folder.is_symlink() else folder.glob(pattern)


def _artefacts(store: "RecordStore", kept: Sequence[str]) -> Iterator[Leftover]:
    table = store.read_all().table.select(["trial_id", "pretrain_id", "status", "stack"])
    rows = [row for row in table.to_pylist() if row["status"] in _ENDED]
    ended = {row["pretrain_id"] for row in rows}
    yield from _checkpoints(store.path, ended)
    for kind, path in (("encoder", kept_path), ("curve", curve_path), ("embeddings", embeddings_path)):
        if kind in kept:
            paths = (path(store.path, pretrain_id) for pretrain_id in sorted(ended))
            yield from _leftovers(kind, (path for path in paths if not path.parent.is_symlink()))


def _checkpoints(store: Path, ended: set[str]) -> Iterator[Leftover]:
    for path in sorted(_inside(checkpoint_folder(store), "*.pt")):
        ids = {path.stem} if path.stem in ended else _pretrain_ids(path)
        if ids and ids <= ended:
            yield from _leftovers("checkpoint", [path])


def _pretrain_ids(path: Path) -> set[str]:
    """The pretrain ids of a checkpoint's trials; empty if it is damaged, because no trial can continue from it."""
    if not path.is_file():  # opening a pipe would wait
        return set()
    from trainables.training.checkpoint import CheckpointError, load_weights  # imports torch

    try:
        ids = load_weights(path).get("pretrain_ids")
    except CheckpointError:
        return set()
    return {str(id_) for id_ in ids} if isinstance(ids, (list, tuple)) else set()


def _leftovers(kind: str, paths: Iterable[Path]) -> Iterator[Leftover]:
    for path in sorted(paths):
        try:
            under = path.rglob("*") if path.is_dir() and not path.is_symlink() else ()
            inside = [each.lstat() for each in (path, *under)]
        except FileNotFoundError:  # removed by another process
            continue
        size, changed = sum(each.st_size for each in inside), max(each.st_mtime for each in inside)
        yield Leftover(path=path, kind=kind, size=size, changed=changed)
