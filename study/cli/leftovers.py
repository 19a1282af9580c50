"""Files of a store that nothing needs any more. Records are never among them.

A file that was changed within the last hour, or since the oldest launch began that runs now, is left alone: it may
be in use.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from study.launch.manifest import all_launches_folders, running_launches
from trainables.atomic import TEMPORARY
from trainables.store.artefacts import checkpoint_folder, curve_path, embeddings_path, kept_path
from trainables.store.records import RecordStore

_IN_USE_SECONDS = 3600.0

#: Folders in which writers put temporary files.
_WRITTEN = ("", "records", "damaged", "leases", "encoders", "checkpoints", "curves", "embeddings", "losses")

#: How a trial ended that needs no checkpoint: a crashed one may go on from it when it is run again.
_ENDED = ("ok", "diverged")


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """A file, or a folder with all that is in it."""

    path: Path
    kind: str  # checkpoint | encoder | curve | embeddings | temporary | tune | lease
    size: int  # bytes
    changed: float  # seconds since 1970


@dataclass(frozen=True, kw_only=True)
class Leftovers:
    """What can go, and what will be able to later."""

    go: tuple[Leftover, ...]
    stay: tuple[Leftover, ...]
    why: str  # those of `stay` do


def find_leftovers(store: RecordStore, *, kept: Sequence[str], older_than: float) -> Leftovers:
    """Temporary files, Ray Tune's folders of dead launches, leases, and checkpoints of ended trials.

    Of `kept` ("encoder", "curve"), also those whose trial has ended. `older_than` is a least age in seconds.
    """
    found = [*_temporary(store.path), *_tune(store.path), *_leases(store.path), *_artefacts(store, kept)]
    age, running = max(_IN_USE_SECONDS, older_than), _oldest_running(store.path)
    limit = min(time.time() - age, running)
    why = (
        "changed since a launch began that runs now"
        if running == limit
        else f"younger than {_age_in_words(age)}"
    )
    return Leftovers(
        go=tuple(leftover for leftover in found if leftover.changed < limit),
        stay=tuple(leftover for leftover in found if leftover.changed >= limit),
        why=why,
    )


def _age_in_words(seconds: float) -> str:
    return "an hour" if seconds == _IN_USE_SECONDS else f"{seconds / 86400:g} days"


def _oldest_running(store: Path) -> float:
    """When the oldest launch began that runs now, seconds since 1970."""
    running = (each for folder in all_launches_folders(store) for each in running_launches(folder))
    starts = [datetime.fromisoformat(manifest.started_at).timestamp() for manifest in running]
    return min(starts, default=float("inf"))


def _temporary(store: Path) -> Iterator[Leftover]:
    """What killed writers left behind."""
    for folder in _WRITTEN:
        yield from _leftovers("temporary", (store / folder).glob(f"{TEMPORARY}*"))
    yield from _leftovers("temporary", (store / "studies").rglob(f"{TEMPORARY}*"))


def _tune(store: Path) -> Iterator[Leftover]:
    yield from _leftovers("tune", (store / "tune").glob("*"))


def _leases(store: Path) -> Iterator[Leftover]:
    """Those of killed workers: a live one renews its lease three times a minute, under another name."""
    yield from _leftovers("lease", (store / "leases").glob("[0-9a-f]*"))


def _artefacts(store: RecordStore, kept: Sequence[str]) -> Iterator[Leftover]:
    table = store.read_all().table.select(["trial_id", "pretrain_id", "status", "stack"])
    rows = [row for row in table.to_pylist() if row["status"] in _ENDED]
    ended = {row["pretrain_id"] for row in rows}
    yield from _checkpoints(store.path, ended)
    for kind, path in (("encoder", kept_path), ("curve", curve_path), ("embeddings", embeddings_path)):
        if kind in kept:
            yield from _leftovers(kind, (path(store.path, pretrain_id) for pretrain_id in sorted(ended)))


def _checkpoints(store: Path, ended: set[str]) -> Iterator[Leftover]:
    for path in sorted(checkpoint_folder(store).glob("*.pt")):
        ids = {path.stem} if path.stem in ended else _pretrain_ids(path)
        if ids and ids <= ended:
            yield from _leftovers("checkpoint", [path])


def _pretrain_ids(path: Path) -> set[str]:
    """The trials that a checkpoint is of; those of one that is damaged, which nothing goes on from, are none."""
    from trainables.training.checkpoint import (
        CheckpointError,
        load_weights,
    )  # torch: only where there are some

    try:
        return set(load_weights(path).get("pretrain_ids", ()))
    except CheckpointError:
        return set()


def _leftovers(kind: str, paths: "Iterator[Path] | Sequence[Path]") -> Iterator[Leftover]:
    for path in sorted(paths):
        try:
            inside = [each.lstat() for each in (path, *(path.rglob("*") if path.is_dir() else ()))]
        except FileNotFoundError:  # gone meanwhile
            continue
        size, changed = sum(each.st_size for each in inside), max(each.st_mtime for each in inside)
        yield Leftover(path=path, kind=kind, size=size, changed=changed)
