"""`study plan`: what there is and what is missing."""

import json

from rich.table import Table

from study.archive import Archive, check_name, read_archive, removed_line
from study.console import CONSOLE, say_error
from study.errors import StudyError
from study.estimate import seconds_by_trial
from study.expand import stand_ins
from study.opened import Opened, open_study
from study.plan import status_summary
from study.preflight import count_workers
from study.progress import format_seconds


def show_plan(study: str, store: str, data_root: str | None, *, as_json: bool) -> None:
    """`study plan`."""
    opened = open_study(study, store, data_root)
    archive = read_archive(opened)
    _say_name(study, opened, archive)
    try:
        workers = count_workers(opened.loaded.spec.resources, None)
    except StudyError as error:  # a plan may be for another machine
        say_error(f"this study cannot run here: {error}")
        workers = 0
    seconds = estimated_seconds(opened, workers)
    if as_json:
        print(json.dumps(status_summary(opened.plan) | {"workers": workers, "estimated_seconds": seconds}))
        return
    table = Table("loss", "trials", "done", "missing", title=f"Plan of {opened.name}", box=None)
    for label, counts in opened.plan.counts_by_arm().items():
        table.add_row(label, *(str(number) for number in counts.values()))
    counts = opened.plan.counts()
    table.add_section()
    table.add_row(
        "all", str(counts["trials"]), str(counts["trials"] - counts["missing"]), str(counts["missing"])
    )
    CONSOLE.print(table)
    if opened.plan.undecided:
        CONSOLE.print(
            f"{opened.plan.undecided} of the missing trials are of configurations that the search has still to find."
        )
    if line := removed_line(opened, archive):
        CONSOLE.print(line, soft_wrap=True)
    kept = sum(opened.is_kept(trial) for trial in opened.plan.missing)
    if kept:
        CONSOLE.print(f"{kept} of the missing trials have kept encoders, which are only evaluated.")
    CONSOLE.print(_estimate_line(counts["missing"], seconds, workers))


def _say_name(study: str, opened: Opened, archive: Archive | None) -> None:
    """A plan writes nothing, so it is shown all the same."""
    try:
        check_name(study, opened, archive)
    except StudyError as error:
        say_error(f"this study cannot run here: {error}")


def estimated_seconds(opened: Opened, workers: int) -> float | None:
    """Wall time of training what is missing, from finished trials; measured on a few steps where there are none.

    None where neither tells: no worker fits on this machine, or the steps fail.
    """
    missing = [trial for trial in opened.plan.missing if not opened.is_kept(trial)]
    missing += stand_ins(opened.plan.spec, opened.plan.expansion)
    if not missing:
        return 0.0
    if not workers:
        return None
    seconds = seconds_by_trial(opened.plan, missing)
    if seconds is None:
        from study.measure import measure_seconds

        seconds = measure_seconds(opened.plan, missing, opened.workshop)
    return None if seconds is None else sum(seconds) / min(workers, len(missing))


def _estimate_line(missing: int, seconds: float | None, workers: int) -> str:
    if not missing:
        return "Nothing is missing: a run would only rebuild the report."
    if seconds is None:
        return "Estimated time: not known before some trials have finished."
    return f"Estimated time: {format_seconds(seconds)} with {workers} workers on this machine."
