"""Commands that run trials."""

import sys

import click

from study.cli.options import ADDRESS, DATA_ROOT, JSON, MAX_HOURS, RUNNER, STORE, WORKERS, guarded


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@WORKERS
@JSON
@guarded
def plan(study: str, store: str, data_root: str | None, workers: int | None, as_json: bool) -> None:
    """Show what STUDY would run: trials by loss, done, missing, and what the missing ones will cost.

    The cost is that of finished trials of the same kind in the store, or some steps and an evaluation of each loss
    and batch size are timed now, with all workers busy. After 20 seconds, what was not timed yet is priced by its
    like. Writes nothing.
    """
    from study.commands.plan import show_plan

    show_plan(study, store, data_root, as_json=as_json, workers=workers)


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@WORKERS
@RUNNER
@ADDRESS
@MAX_HOURS
@click.option(
    "--edited",
    is_flag=True,
    help="This file is a later version of the study of its name in the store, from another place.",
)
@guarded
def run(
    study: str,
    store: str,
    data_root: str | None,
    workers: int | None,
    runner: str,
    address: str | None,
    max_hours: float | None,
    edited: bool,
) -> None:
    """Run the missing trials of STUDY, then write its report.

    Every finished trial is kept whatever happens; the same command continues where it stopped. Given twice at once,
    here or on machines that share the store, it shares the work.

    A stop can cost what was in training since its last checkpoint: up to 120 s of each worker, or what
    resources.checkpoint_seconds says. Sphere trials, and trials that are stacked otherwise then, begin anew.
    """
    from study.commands.run import run_study

    sys.exit(
        run_study(
            study,
            store,
            data_root,
            workers=workers,
            runner=runner,
            address=address,
            edited=edited,
            max_hours=max_hours,
        )
    )


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@click.option(
    "--status",
    "statuses",
    type=click.Choice(["crashed", "diverged", "oom", "timeout"]),
    multiple=True,
    help="How they ended; may be given more than once.",
)
@click.option(
    "--error",
    "errors",
    multiple=True,
    metavar="CLASS",
    help="Their error's class, such as RuntimeError; may be given more than once.",
)
@click.option("--dry-run", is_flag=True, help="List the trials and run nothing.")
@WORKERS
@RUNNER
@ADDRESS
@MAX_HOURS
@guarded
def retry(
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
) -> None:
    """Run failed trials of STUDY again and keep their history.

    Those that ended in a --status, or with an --error, or in one of each where both are given; `study failures`
    says what there is. The new attempt counts; the earlier ones stay in the store, and `study show` lists them.
    """
    from study.commands.retry import retry_study

    sys.exit(
        retry_study(
            study,
            store,
            data_root,
            statuses=statuses,
            errors=errors,
            dry_run=dry_run,
            workers=workers,
            runner=runner,
            address=address,
            max_hours=max_hours,
        )
    )


@click.command()
@click.argument("study")
@click.argument("trial_id", required=False)
@STORE
@DATA_ROOT
@click.option("--put", is_flag=True, help="Put the record into the store when the trial is missing there.")
@guarded
def trial(study: str, trial_id: str | None, store: str, data_root: str | None, put: bool) -> None:
    """Run one trial of STUDY in this process, without Ray, and show its record.

    TRIAL_ID may be shortened; without it, the first missing trial runs, or the first of all. A record that the
    store holds already is compared with the new one, column by column.
    """
    from study.commands.trial import run_one_trial

    sys.exit(run_one_trial(study, trial_id, store, data_root, put=put))


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="How many finished trials to run again.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws the sample.")
@JSON
@guarded
def verify(study: str, store: str, data_root: str | None, sample: int, seed: int, as_json: bool) -> None:
    """Run some finished trials of STUDY again and compare.

    A random sample reproduces to the bit, or it is said by how much it differs in each column. Each trial trains in
    the company that it trained in before. Nothing is written. Exit code 1 when one does not reproduce.
    """
    from study.commands.verify import verify_study

    sys.exit(verify_study(study, store, data_root, sample=sample, seed=seed, as_json=as_json))


@click.command()
@click.argument("study")
@DATA_ROOT
@click.option("--loss", metavar="LABEL", help="A loss of the study.  [default: its first]")
@click.option(
    "--batch-size",
    "batch_sizes",
    type=click.IntRange(min=2),
    multiple=True,
    metavar="M",
    help="Pairs a step; may be given more than once.  [default: the study's]",
)
@click.option(
    "--steps", type=click.IntRange(min=1), help="Steps timed a row.  [default: as many as fill 3 seconds]"
)
@JSON
@guarded
def bench(
    study: str,
    data_root: str | None,
    loss: str | None,
    batch_sizes: tuple[int, ...],
    steps: int | None,
    as_json: bool,
) -> None:
    """Measure how fast this machine trains trials of STUDY, and where the time goes. Writes nothing.

    One row a batch size, and one more where trials are trained together: images a second, the shares of a step's
    time in data (gathering a batch and making its views), forward, loss, backward and optimiser, the fraction of
    the device's matrix-product peak measured in the same run, and peak memory.
    """
    from study.commands.bench import bench_study

    sys.exit(bench_study(study, data_root, loss=loss, batch_sizes=batch_sizes, steps=steps, as_json=as_json))
