"""`study run`: runs the missing trials of a study, then writes its report."""

import time

import click

from study.cli.options import ADDRESS, DATA_ROOT, MAX_HOURS, RUNNER, STORE, TRUST_CODE, WORKERS, guarded
from study.errors import DONE, StudyError

#: Trials that came with a study and run again beside one's own loss, unless the user asks for another number.
_REPEATED = 12


@click.command("run")
@click.argument("study")
@STORE
@DATA_ROOT
@TRUST_CODE
@WORKERS
@RUNNER
@ADDRESS
@MAX_HOURS
@click.option(
    "--edited",
    is_flag=True,
    help="This file is a later version of the study with the same name in the store, although its path differs.",
)
@click.option(
    "--loss",
    metavar="LABEL[=LOSS]",
    help="Train only this loss, and compare it with the rows that came with STUDY (docs/results/NAME, or "
    "records.parquet beside the study file). LOSS is an import path such as my_module:MyLoss.",
)
@click.option(
    "--axis",
    "axes",
    multiple=True,
    metavar="LABEL.FIELD=V,V",
    help="With --loss: the values of one of its hyperparameters, or LABEL.lr, its base rate. May be given more than "
    "once.",
)
@click.option(
    "--repeat",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"With --loss: how many of the trials that came with STUDY run again here.  [default: {_REPEATED}]",
)
@guarded
def command(
    study: str,
    store: str,
    data_root: str | None,
    workers: int | None,
    runner: str,
    address: str | None,
    max_hours: float | None,
    edited: bool,
    loss: str | None,
    axes: tuple[str, ...],
    repeat: int | None,
) -> int:
    """Run the missing trials of STUDY, then write its report.

    Every finished trial is always kept, and the same command continues after a stop. Several such commands at the
    same time, on this machine or on machines that share the store, share the work.

    A stop can lose the training since the last checkpoint: up to 120 s of each worker, or the time in
    resources.checkpoint_seconds. Sphere trials start again from the beginning, and so do trials that are stacked
    differently in the next launch.

    With --loss, only one loss of your own trains, at the batch sizes and seeds of STUDY. The report has it beside the
    rows that came with STUDY, of which a few trials run again to show how far machine, versions and data matter.
    """
    began = time.monotonic()  # the imports are a part of the first stage

    from study.cli.plan import say_notes
    from study.cli.report import report_run
    from study.console import say
    from study.launch.listeners.stage_times import StageTimes
    from study.launch.start import end_of, finish_study, fitting_workers, launch_trials, prepare_store
    from study.loaded import load_study

    until, stages = end_of(max_hours), StageTimes(began)
    if loss is not None:
        from study.cli.beside import run_beside

        return run_beside(
            study,
            loss,
            axes,
            _REPEATED if repeat is None else repeat,
            store,
            data_root,
            edited=edited,
            workers=(workers, runner, address),
            until=until,
            stages=stages,
        )
    if axes or repeat is not None:
        raise StudyError(f"--{'axis' if axes else 'repeat'}: only with --loss")
    loaded = load_study(study, store, data_root)
    say_notes(loaded)
    plan = loaded.plan
    pool = fitting_workers(loaded, workers, runner, address)
    prepare_store(study, loaded, edited=edited)
    if not plan.missing and not plan.undecided:
        finish_study(loaded)
    elif stop := launch_trials(
        loaded, plan.missing, pool, search=plan.trial_set.design.adaptive, until=until, stages=stages
    ):
        return stop.exit_code
    report_run(loaded)
    if line := stages.line():
        say(line)
    return DONE
