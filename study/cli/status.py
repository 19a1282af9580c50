"""`study status`: shows how many trials of a study are done, failed and missing, once or repeatedly."""

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from study.cli.options import DATA_ROOT, JSON, STORE, TRUST_CODE, guarded
from study.console import CONSOLE, literal, say, say_json
from study.errors import StudyError

if TYPE_CHECKING:
    from study.loaded import LoadedStudy


@click.command("status")
@click.argument("study")
@STORE
@DATA_ROOT
@TRUST_CODE
@click.option("--watch", is_flag=True, help="Show it repeatedly, until no trial is missing.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="With --watch: the time between two updates.",
)
@JSON
@guarded
def command(study: str, store: str, data_root: str | None, watch: bool, every: float, as_json: bool) -> None:
    """Show how many trials of STUDY are done, failed and missing.

    It also shows how many launches of STUDY run now. STUDY or the store may be a bundle, packed or unpacked.
    """
    show_status(study, store, data_root, as_json=as_json, watch=watch, every=every)


def show_status(
    study: str, store: str, data_root: str | None, *, as_json: bool, watch: bool, every: float
) -> None:
    """Print the status. With `watch`, update it every `every` seconds, until no trial is missing or Ctrl-C."""
    from study.launch.manifest import launches_folder, say_unread
    from study.loaded import load_study, say_damaged
    from study.report.bundle import open_study_bundle

    with open_study_bundle(study, store) as bundle:
        if bundle is not None:
            if watch:
                raise StudyError("--watch: is not for a bundle, whose records do not change")
            say_damaged(bundle.records)
            _print({"study": bundle.info.name, **bundle.counts(), "launches": []}, as_json)
            return
    loaded = load_study(study, store, data_root, whole=False)
    if not watch:
        _print(_summary(loaded), as_json)
        say_unread(launches_folder(loaded.store.path, loaded.name))
        return
    with suppress(KeyboardInterrupt):  # Ctrl-C ends the watch
        if CONSOLE.is_terminal and not as_json:
            _watch_live(loaded, every)
        else:
            _watch_lines(loaded, every, as_json)


def _watch_live(loaded: "LoadedStudy", every: float) -> None:
    from study.loaded import read_again

    with Live(console=CONSOLE, auto_refresh=False) as live:
        while True:
            summary = _summary(loaded)
            live.update(_panel(summary), refresh=True)
            if not summary["missing"]:
                return
            time.sleep(every)
            loaded = read_again(loaded)


def _watch_lines(loaded: "LoadedStudy", every: float, as_json: bool) -> None:
    """Print a line, or JSON, whenever a count changes. This is for output that is not a terminal."""
    from study.loaded import read_again

    before: dict[str, Any] = {}
    while True:
        summary = _summary(loaded)
        if summary != before:
            _print(summary, as_json, lines=not as_json)
            before = summary
        if not summary["missing"]:
            return
        time.sleep(every)
        loaded = read_again(loaded)


def _summary(loaded: "LoadedStudy") -> dict[str, Any]:
    """The content of `--json`: the counts, the launches that run now, and what changed since the study was loaded."""
    from study.launch.manifest import launches_folder, running_launches
    from study.loaded import changed_since
    from study.plan import status_summary

    running = running_launches(launches_folder(loaded.store.path, loaded.name))
    change = changed_since(loaded)
    return {
        **status_summary(loaded.plan),
        "launches": [manifest.launch for manifest in running],
        **({"changed": change} if change else {}),
    }


def _print(summary: dict[str, Any], as_json: bool, *, lines: bool = False) -> None:
    if as_json:
        say_json(summary)
        return
    head, counts = f"{summary['study']}: {summary['trials']} trials", _shown(summary)
    if lines:
        parts = [f"{count} {name}" for name, count in counts] + _further(summary)
        say(f"{head}: {', '.join(parts)}")
        return
    CONSOLE.print(head)
    for name, count in counts:
        CONSOLE.print(f"  {count:>6}  {name}")
    for line in _further(summary):
        say(f"  {line}")


def _panel(summary: dict[str, Any]) -> Group:
    total, missing = summary["trials"], summary["missing"]
    bar = Table.grid()
    bar.add_row(ProgressBar(total=max(1, total), completed=total - missing, width=48))
    counts = "\n".join(f"  {count:>6}  {name}" for name, count in _shown(summary))
    end = f"  {'; '.join(_further(summary))}; updated at {time.strftime('%H:%M:%S')}, Ctrl-C ends"
    return Group(literal(f"{summary['study']}: {total} trials"), bar, literal(f"{counts}\n{end}"))


def _shown(summary: dict[str, Any]) -> list[tuple[str, int]]:
    """The counts above 0, and always the counts `ok` and `missing`."""
    counts = [(name, count) for name, count in summary.items() if isinstance(count, int) and name != "trials"]
    return [(name, count) for name, count in counts if count or name in ("ok", "missing")]


def _further(summary: dict[str, Any]) -> list[str]:
    """The launches that run, and what changed since a watch began."""
    change = summary.get("changed")
    return [
        _launches_line(summary),
        *([f"{change}; these counts are of the earlier version"] if change else []),
    ]


def _launches_line(summary: dict[str, Any]) -> str:
    running = summary["launches"]
    if not running:
        return "no launch runs now"
    return f"{len(running)} launch{'es' * (len(running) > 1)} running now"
