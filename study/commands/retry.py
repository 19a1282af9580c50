"""`study retry`: recorded failures run again, each as its next attempt; the earlier ones stay in the store."""

from collections import Counter
from collections.abc import Sequence

from study.commands.failures import missing_line
from study.commands.report import report_opened
from study.console import CONSOLE
from study.errors import DONE, StudyError
from study.launch.start import end_of, fitting_workers, launch_trials, prepare_store
from study.loaded import LoadedStudy, load_study
from study.spec.expand import PlannedTrial
from trainables.store.attempts import failures


def retry_study(
    study: str,
    store: str,
    data_root: str | None,
    *,
    statuses: Sequence[str],
    errors: Sequence[str],
    dry_run: bool,
    workers: int | None,
    runner: str,
    address: str | None = None,
    max_hours: float | None = None,
) -> int:
    """Run again what ended in one of `statuses` and with one of `errors` (each, where given). The exit code."""
    if not statuses and not errors:
        raise StudyError(
            "retry: say which trials: --status crashed, diverged, oom or timeout, or --error CLASS; "
            f"`study failures {study}` lists them"
        )
    until = end_of(max_hours)
    loaded = load_study(study, store, data_root)
    chosen = _choose(loaded, statuses, errors)
    if not chosen:
        CONSOLE.print(_nothing_line(loaded, statuses, errors), soft_wrap=True)
        if line := missing_line(loaded, study, store):
            CONSOLE.print(line, soft_wrap=True)
        return DONE
    if dry_run:
        CONSOLE.print(
            f"Would run {len(chosen)} of the {len(loaded.plan.trials)} trials of {loaded.name} again:"
        )
        for trial in chosen:
            CONSOLE.print(f"  {trial.keys.trial_id}  {trial.title}", soft_wrap=True)
        return DONE
    pool = fitting_workers(loaded, workers, runner, address)
    prepare_store(study, loaded)
    if stop := launch_trials(loaded, chosen, pool, until=until):
        return stop.exit_code
    report_opened(study, load_study(study, store, data_root))
    return DONE


def _choose(loaded: LoadedStudy, statuses: Sequence[str], errors: Sequence[str]) -> list[PlannedTrial]:
    wanted = {
        row["trial_id"]
        for row in failures(loaded.plan.records.table)
        if (not statuses or row["status"] in statuses) and (not errors or row["error_class"] in errors)
    }
    return [trial for trial in loaded.plan.trials if trial.keys.trial_id in wanted]


def _nothing_line(loaded: LoadedStudy, statuses: Sequence[str], errors: Sequence[str]) -> str:
    asked = " and ".join(filter(None, (" or ".join(statuses), " or ".join(errors))))
    found = Counter(f"{row['status']}: {row['error_class']}" for row in failures(loaded.plan.records.table))
    there = "; there are " + ", ".join(f"{count} {kind}" for kind, count in found.items()) if found else ""
    return f"{loaded.name}: no trial ended with {asked}, nothing to run again{there}."
