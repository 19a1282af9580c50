"""`study retry`: runs failed trials again, each as its next attempt. Earlier attempts stay in the store."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from analysis.names import brief
from study.cli.options import ADDRESS, DATA_ROOT, MAX_HOURS, RUNNER, STORE, TRUST_CODE, WORKERS, guarded
from study.cli.report import report_run
from study.console import CONSOLE, say, shell_line
from study.errors import DONE, StudyError

if TYPE_CHECKING:
    from study.loaded import LoadedStudy
    from study.spec.expand import PlannedTrial


@click.command("retry")
@click.argument("study")
@STORE
@DATA_ROOT
@TRUST_CODE
@click.option(
    "--status",
    "statuses",
    type=click.Choice(["crashed", "diverged", "oom", "timeout"]),
    multiple=True,
    help="Status of the trials to run again; may be given more than once.",
)
@click.option(
    "--error",
    "errors",
    multiple=True,
    metavar="CLASS",
    help="Error class of the trials, such as RuntimeError; may be given more than once.",
)
@click.option("--dry-run", is_flag=True, help="List the trials and run nothing.")
@WORKERS
@RUNNER
@ADDRESS
@MAX_HOURS
@guarded
def command(
    study: str,
    store: str,
    data_root: str | None,
    statuses: tuple[str, ...],
    errors: tuple[str, ...],
    dry_run: bool,
    workers: int | None,
    runner: str,
    address: str | None,
    max_hours: float | None,
) -> int:
    """Run failed trials of STUDY again and keep their history.

    The command runs trials that ended with a given --status or --error; if both are given, trials must match both.
    `study failures` lists the failed trials. The new attempt counts. Earlier attempts stay in the store, and
    `study show` lists them.
    """
    from study.launch.start import end_of, fitting_workers, launch_trials, prepare_store
    from study.loaded import load_study
    from study.report.failures import missing_line

    if not statuses and not errors:
        raise StudyError(
            "retry: choose the trials with --status crashed, diverged, oom or timeout, or with --error CLASS; "
            f"`{shell_line('study', 'failures', study)}` lists them"
        )
    until = end_of(max_hours)
    loaded = load_study(study, store, data_root)
    chosen = _choose(loaded, statuses, errors)
    if not chosen:
        say(_nothing_line(loaded, statuses, errors))
        if line := missing_line(loaded, study, store):
            say(line)
        return DONE
    if dry_run:
        CONSOLE.print(
            f"Would run {len(chosen)} of the {len(loaded.plan.trials)} trials of {loaded.name} again:"
        )
        for trial in chosen:
            say(f"  {trial.keys.trial_id}  {trial.title}")
        return DONE
    pool = fitting_workers(loaded, workers, runner, address)
    prepare_store(study, loaded)
    if stop := launch_trials(loaded, chosen, pool, until=until):
        return stop.exit_code
    report_run(loaded)
    return DONE


def _choose(loaded: "LoadedStudy", statuses: Sequence[str], errors: Sequence[str]) -> "list[PlannedTrial]":
    from trainables.store.attempts import failures

    wanted = {
        row["trial_id"]
        for row in failures(loaded.plan.records.table)
        if (not statuses or row["status"] in statuses) and (not errors or row["error_class"] in errors)
    }
    return [trial for trial in loaded.plan.trials if trial.keys.trial_id in wanted]


def _nothing_line(loaded: "LoadedStudy", statuses: Sequence[str], errors: Sequence[str]) -> str:
    from trainables.store.attempts import failures

    asked = " and ".join(filter(None, (" or ".join(statuses), " or ".join(errors))))
    kinds = (
        f"{row['status']}: {brief(str(row['error_class']), 100)}"
        for row in failures(loaded.plan.records.table)
    )
    found = Counter(kinds)
    there = "; there are " + ", ".join(f"{count} {kind}" for kind, count in found.items()) if found else ""
    return f"{loaded.name}: no trial ended with {asked}, nothing to run again{there}."
