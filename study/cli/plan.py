"""`study plan`: shows the trials of a study, the missing ones, and their expected cost."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from study.cli.options import DATA_ROOT, JSON, STORE, TRUST_CODE, WORKERS, guarded
from study.console import CONSOLE, format_seconds, say, say_error, say_json, say_note
from study.errors import AbsentData, StudyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from study.archive import Archive
    from study.cost.span import Span
    from study.launch.price import Price, Unpriced
    from study.loaded import LoadedStudy
    from study.spec.schema import ResourcesSection
    from trainables.config import Task

#: The source of a price, in words.
_SOURCES = {
    "records": "finished trials of this store",
    "timed": "steps and evaluations timed just now, with this machine as busy as it is",
    "both": "finished trials of this store, and steps timed just now, with this machine as busy as it is",
}


@click.command("plan")
@click.argument("study")
@STORE
@DATA_ROOT
@TRUST_CODE
@WORKERS
@JSON
@guarded
def command(study: str, store: str, data_root: str | None, workers: int | None, as_json: bool) -> None:
    """Show what STUDY would run, what is done, and what the missing trials will cost.

    The cost comes from finished trials of the same kind in the store. Without such trials, the command times some
    steps and an evaluation of each loss and batch size now, with all workers busy. After 20 seconds, kinds of trials
    that are not timed yet get the price of similar kinds. Writes nothing.

    Without the data set of STUDY, the plan still counts the trials and says how to get the data.
    """
    show_plan(study, store, data_root, as_json=as_json, workers=workers)


def show_plan(
    study: str,
    store: str,
    data_root: str | None,
    *,
    as_json: bool,
    workers: int | None = None,
    timed: bool = True,
) -> None:
    """Print the plan. Unless `timed`, the price comes only from records, if they are enough.

    Without the study's data set, the plan has the numbers of trials and a line that says how to get the data.
    """
    from study.archive import read_archive, removed_line
    from study.launch.price import Price
    from study.loaded import load_study
    from study.own_code import own_code_facts, own_code_lines
    from study.plan import status_summary
    from study.spec.without_effect import keys_without_effect

    try:
        loaded = load_study(study, store, data_root)
    except AbsentData as error:
        _show_without_data(study, data_root, error, as_json=as_json)
        return
    say_notes(loaded)
    archive = read_archive(loaded)
    fitting = _fitting_workers(loaded, workers)
    _say_name(study, loaded, archive)
    notes = keys_without_effect(loaded.plan.spec, _tasks(loaded))
    if as_json:
        price = _price(loaded, workers or fitting, fitting, timed=timed)
        facts = _price_facts(loaded, price, workers or fitting) | {"early_stopping": _stops_early(loaded)}
        say_json(status_summary(loaded.plan) | facts | own_code_facts(loaded.plan) | {"notes": notes})
        return
    say(f"Plan of {loaded.name}")
    table = Table("loss", "trials", "done", "missing", box=None)
    for label, counts in loaded.plan.counts_by_arm().items():
        table.add_row(label, *(str(number) for number in counts.values()))
    counts = loaded.plan.counts()
    table.add_section()
    table.add_row(
        "all", str(counts["trials"]), str(counts["trials"] - counts["missing"]), str(counts["missing"])
    )
    CONSOLE.print(table)
    if loaded.plan.undecided:
        CONSOLE.print(
            f"{loaded.plan.undecided} of the missing trials have configurations that the search has not chosen yet."
        )
    if line := removed_line(loaded, archive):
        say(line)
    for line in own_code_lines(loaded.plan):
        say(line)
    for note in notes:
        say(f"Note: {note}.")
    kept = sum(loaded.is_kept(trial) for trial in loaded.plan.missing)
    if kept:
        CONSOLE.print(f"{kept} of the missing trials have kept encoders, which are only evaluated.")
    price = _price(loaded, workers or fitting, fitting, timed=timed)
    say(_price_line(loaded, price, workers or fitting, timed=timed))
    if isinstance(price, Price) and price.kinds and _stops_early(loaded):
        CONSOLE.print(
            "The search stops trials early: this is the price of all trials at full length, so it is an upper limit."
        )


def say_notes(loaded: "LoadedStudy") -> None:
    """Print the notes on the data of a study on standard error."""
    for note in loaded.plan.trial_set.task.notes:
        say_note(note)


def _show_without_data(study: str, data_root: str | None, error: AbsentData, *, as_json: bool) -> None:
    """Print the numbers of trials. Which of them the store has is not known: their ids depend on the data."""
    from study.loaded import check_data_root
    from study.spec.expand import count_trials
    from study.spec.load import load_spec

    spec = load_spec(study).spec
    counts = count_trials(spec, check_data_root(Path(data_root).expanduser() if data_root else None))
    if as_json:
        facts = {
            "study": spec.name,
            "trials": sum(counts.values()),
            "missing": None,
            "absent_data": str(error),
        }
        say_json(facts)
        return
    say(f"Plan of {spec.name}")
    table = Table("loss", "trials", box=None)
    for label, count in counts.items():
        table.add_row(label, str(count))
    table.add_section()
    table.add_row("all", str(sum(counts.values())))
    CONSOLE.print(table)
    say_error(f"this study cannot run here: {error}")


def _fitting_workers(loaded: "LoadedStudy", wanted: int | None) -> int:
    """The number of workers that fit on this machine; 0, with a message, if the study cannot run here.

    Raises `StudyError` for more workers than fit: the price of a plan is for this machine.
    """
    from study.launch.capacity import count_workers
    from study.launch.memory import check_memory

    spec = loaded.plan.spec
    try:
        fitting = count_workers(spec.resources, None)
        check_memory(spec, loaded.plan.trial_set)
    except StudyError as error:  # a plan may be for another machine
        say_error(f"this study cannot run here: {error}")
        return 0
    return count_workers(spec.resources, wanted) if wanted else fitting


def _tasks(loaded: "LoadedStudy") -> "Iterator[Task]":
    """The tasks of the trials, and of those that a search may choose."""
    from study.spec.expand import end_trials

    plan = loaded.plan
    yield from (trial.config.task for trial in plan.trials)
    for arm in (arm for arm in plan.trial_set.arms if arm.undecided):
        yield from (trial.config.task for trial in end_trials(plan.spec, arm, plan.trial_set))


def _stops_early(loaded: "LoadedStudy") -> bool:
    return loaded.study_file.spec.search.early_stopping is not None


def _say_name(study: str, loaded: "LoadedStudy", archive: "Archive | None") -> None:
    """Print a message if the study cannot run under its name. The plan is still shown, because it writes nothing."""
    from study.archive import check_name

    try:
        check_name(study, loaded, archive)
    except StudyError as error:
        say_error(f"this study cannot run here: {error}")


def _price(loaded: "LoadedStudy", workers: int, fitting: int, *, timed: bool) -> "Price | Unpriced | None":
    """The price of the missing trials; None if no worker fits on this machine."""
    from study.launch.price import price_missing

    if not fitting:
        return None
    a_device = 1 if loaded.study_file.spec.resources.gpus_per_trial else fitting
    return price_missing(loaded, workers, at_once=min(workers, a_device), timed=timed)


def _price_facts(loaded: "LoadedStudy", price: "Price | Unpriced | None", workers: int) -> dict[str, Any]:
    """The keys of `--json` about the price. `device_hours` are CPU-core hours, or GPU hours if trials use GPUs."""
    from study.launch.price import Price

    if not isinstance(price, Price):
        return {"workers": workers, "estimated_seconds": None}
    device, hours = device_hours(loaded.study_file.spec.resources, price.work)
    return {
        "workers": workers,
        "estimated_seconds": price.wall.mid,
        "estimated_seconds_between": [price.wall.low, price.wall.high],
        "device": device,
        "device_hours": hours.mid,
        "device_hours_between": [hours.low, hours.high],
        "price_from": price.source,
        "kinds": price.kinds,
        "kinds_recorded": price.recorded,
        "kinds_timed": price.timed,
    }


def device_hours(resources: "ResourcesSection", work: "Span") -> "tuple[str, Span]":
    """The device and its hours for `work` seconds of a worker: of CPU cores, or of GPUs if trials use them."""
    if resources.gpus_per_worker:
        return "GPU", work.times(resources.gpus_per_worker / 3600)
    return "processor", work.times(resources.cpus_per_trial / 3600)


def _price_line(loaded: "LoadedStudy", price: "Price | Unpriced | None", workers: int, *, timed: bool) -> str:
    from study.launch.price import Price

    if not isinstance(price, Price):
        how = "a few steps could not be timed here" if timed else "`study plan` times a few steps"
        if price is None or not price.recorded:
            return f"Price: not known from the records of this store; {how}."
        known = f"the records of this store cover {price.recorded} of {price.kinds} kinds of trials"
        return f"Price: known in part: {known}; {how} of the others."
    if not price.kinds:
        return "Nothing is missing: a run would only rebuild the report."
    device, hours = device_hours(loaded.study_file.spec.resources, price.work)
    wall, source = price.wall, _SOURCES[price.source] + _untimed(price)
    return (
        f"Price: {hours.mid:.3g} {device}-hours ({hours.low:.3g} to {hours.high:.3g}); "
        f"{format_seconds(wall.mid)} ({format_seconds(wall.low)} to {format_seconds(wall.high)}) with {workers} "
        f"workers on this machine, evaluation included, start-up and report not; from {source}."
    )


def _untimed(price: "Price") -> str:
    """A note on the kinds of trials that were not timed in the available time."""
    wanted = price.kinds - price.recorded
    if price.timed == wanted:
        return ""
    return f" ({price.timed} of {wanted} kinds of trials were timed; the others have the price of the nearest ones)"
