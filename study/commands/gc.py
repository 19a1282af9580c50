"""`study gc`: frees the space of what no study in a store needs any more, and never of a record."""

import json
import shutil
from collections.abc import Sequence

from study.cli.leftovers import Leftover, Leftovers, find_leftovers
from study.console import CONSOLE, say_error
from study.errors import DONE, FAILED, StudyError
from trainables.store.records import open_store

_DAY = 86400.0

_WORDS = {
    "checkpoint": "checkpoints of trials that have ended",
    "encoder": "kept encoders",
    "curve": "learning curves",
    "embeddings": "embeddings of sphere trials",
    "temporary": "temporary files of processes that were killed",
    "tune": "folders of Ray Tune of launches that are dead",
    "lease": "leases of workers that were killed",
}


def collect_garbage(
    store: str, *, encoders: bool, curves: bool, older_than: float, dry_run: bool, as_json: bool
) -> int:
    """Remove, or list where it is a dry run. Returns the exit code: 1 when something could not be removed."""
    record_store = open_store(store)
    if not record_store.path.is_dir():
        raise StudyError(f"gc: there is no store at {record_store.path}")
    kept = [
        kind for kind, wanted in (("encoder", encoders), ("curve", curves), ("embeddings", curves)) if wanted
    ]
    leftovers = find_leftovers(record_store, kept=kept, older_than=older_than * _DAY)
    found = leftovers.go
    removed = [] if dry_run else [leftover for leftover in found if _remove(leftover)]
    if as_json:
        print(json.dumps(_summary(found, removed) | {"staying": len(leftovers.stay)}))
        return DONE if dry_run or len(removed) == len(found) else FAILED
    if not found:
        CONSOLE.print("Nothing to remove.")
    elif dry_run:
        _list(found)
    else:
        _show(removed)
    if leftovers.stay:
        CONSOLE.print(_staying_line(leftovers), soft_wrap=True)
    return DONE if dry_run or len(removed) == len(found) else FAILED


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
        CONSOLE.print(f"{format_bytes(each.size):>9}  {each.kind:<10}  {each.path}", soft_wrap=True)
    CONSOLE.print(
        f"Would remove these {len(found)}: {format_bytes(sum(each.size for each in found))} in all."
    )


def _show(removed: Sequence[Leftover]) -> None:
    for kind, words in _WORDS.items():
        sizes = [each.size for each in removed if each.kind == kind]
        if sizes:
            CONSOLE.print(f"Removed {words}: {len(sizes)}, {format_bytes(sum(sizes))}", soft_wrap=True)
    CONSOLE.print(f"Freed {format_bytes(sum(each.size for each in removed))}; every record is where it was.")


def format_bytes(count: int) -> str:
    """A size as people say it: "812 B", "3.4 MB"."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
