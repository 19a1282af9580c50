"""`study run`: the missing trials, then the report."""

from study.commands.report import report_opened
from study.errors import DONE
from study.launch.start import end_of, finish_study, fitting_workers, launch_trials, prepare_store
from study.loaded import load_study


def run_study(
    study: str,
    store: str,
    data_root: str | None,
    *,
    workers: int | None,
    runner: str,
    address: str | None = None,
    edited: bool = False,
    max_hours: float | None = None,
) -> int:
    """`study run`: the missing trials, then the report. Returns the exit code."""
    until = end_of(max_hours)
    loaded = load_study(study, store, data_root)
    plan = loaded.plan
    pool = fitting_workers(loaded, workers, runner, address)
    prepare_store(study, loaded, edited=edited)
    if not plan.missing and not plan.undecided:
        finish_study(loaded)
    elif stop := launch_trials(
        loaded, plan.missing, pool, search=plan.trial_set.design == "optuna", until=until
    ):
        return stop.exit_code
    report_opened(study, load_study(study, store, data_root))
    return DONE
