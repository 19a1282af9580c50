"""The command line: one function a command, `study --help` lists them.

Only click is imported here. Each command imports what it needs when it runs, so that `--help` answers at once.
"""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from study.errors import BAD_INPUT, INTERRUPTED, StudyError

_STORE = click.option(
    "--store", default="./results", show_default=True, metavar="PATH", help="Where records and reports live."
)
_DATA_ROOT = click.option(
    "--data-root",
    envvar="STUDY_DATA_ROOT",
    metavar="PATH",
    help="Where data sets lie; or set STUDY_DATA_ROOT.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Turns what a user can mend into one line and exit code 2."""

    @functools.wraps(command)
    def guarded(*args: Any, **options: Any) -> None:
        from trainables.datasets.source import DataError
        from trainables.records import StoreError

        # A loss of one's own lies where the command is called, as with `python -m`.
        sys.path.insert(0, os.getcwd())
        try:
            command(*args, **options)
        except (StudyError, StoreError, DataError) as error:
            click.echo(f"study: {error}", err=True)
            sys.exit(getattr(error, "exit_code", BAD_INPUT))
        except KeyboardInterrupt:
            click.echo("study: stopped", err=True)
            sys.exit(INTERRUPTED)

    return guarded


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="contrastive-robustness")
def main() -> None:
    """Hyperparameter robustness studies of contrastive losses.

    STUDY is the name of a shipped study (see `study list studies`) or the path of a study file.
    """


@main.command()
@click.argument("study")
@_STORE
@_DATA_ROOT
@_JSON
@_guarded
def plan(study: str, store: str, data_root: str | None, as_json: bool) -> None:
    """Show what STUDY would run: trials by loss, done, missing, and the time that takes."""
    from study.commands.plan import show_plan

    show_plan(study, store, data_root, as_json=as_json)


@main.command()
@click.argument("study")
@_STORE
@_DATA_ROOT
@click.option("--workers", type=click.IntRange(min=1), help="Trials at a time.  [default: all that fit]")
@click.option(
    "--runner",
    type=click.Choice(["ray", "inline"]),
    default="ray",
    show_default=True,
    help="Ray Tune on all cores, or one trial after another in this process.",
)
@click.option(
    "--address",
    metavar="auto|HOST:PORT",
    help="Head node of a Ray cluster that runs already.  [default: Ray on this machine alone]",
)
@click.option(
    "--edited",
    is_flag=True,
    help="This file is a later version of the study of its name in the store, from another place.",
)
@_guarded
def run(
    study: str,
    store: str,
    data_root: str | None,
    workers: int | None,
    runner: str,
    address: str | None,
    edited: bool,
) -> None:
    """Run the missing trials of STUDY, then write its report.

    Every finished trial is kept whatever happens; the same command continues where it stopped.
    """
    from study.commands.run import run_study

    sys.exit(
        run_study(study, store, data_root, workers=workers, runner=runner, address=address, edited=edited)
    )


@main.command()
@click.argument("study")
@_STORE
@_DATA_ROOT
@click.option("--watch", is_flag=True, help="Show it again and again, until nothing is missing.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="From one look to the next, under --watch.",
)
@_JSON
@_guarded
def status(study: str, store: str, data_root: str | None, watch: bool, every: float, as_json: bool) -> None:
    """Show how far STUDY is: trials done, failed and missing.

    And how many launches of it run now.
    """
    from study.commands.status import show_status

    show_status(study, store, data_root, as_json=as_json, watch=watch, every=every)


@main.command()
@click.argument("study")
@_STORE
@_DATA_ROOT
@_JSON
@_guarded
def failures(study: str, store: str, data_root: str | None, as_json: bool) -> None:
    """Show failed trials of STUDY by error, with one traceback each."""
    from study.commands.failures import show_failures

    show_failures(study, store, data_root, as_json=as_json)


@main.command()
@click.argument("study")
@_STORE
@_DATA_ROOT
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
@click.option("--workers", type=click.IntRange(min=1), help="Trials at a time.  [default: all that fit]")
@click.option(
    "--runner",
    type=click.Choice(["ray", "inline"]),
    default="ray",
    show_default=True,
    help="Ray Tune on all cores, or one trial after another in this process.",
)
@_guarded
def retry(
    study: str,
    store: str,
    data_root: str | None,
    statuses: tuple[str, ...],
    errors: tuple[str, ...],
    dry_run: bool,
    workers: int | None,
    runner: str,
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
        )
    )


@main.command()
@click.argument("study")
@_STORE
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the end.",
)
@_guarded
def cancel(study: str, store: str, wait: float) -> None:
    """Stop the running launches of STUDY, as Ctrl-C does.

    On this machine, or on any other that shares the store. Finished trials are kept, and the command that was
    stopped continues when it is given again.
    """
    from study.commands.cancel import cancel_study

    sys.exit(cancel_study(study, store, wait=wait))


@main.command()
@click.argument("trial_id")
@_STORE
@_JSON
@_guarded
def show(trial_id: str, store: str, as_json: bool) -> None:
    """Show everything that the store knows of one trial.

    Its config, attempts, latest record and files, and how to run it again. TRIAL_ID may be shortened.
    """
    from study.commands.show import show_trial

    show_trial(trial_id, store, as_json=as_json)


@main.command()
@click.argument("study")
@_STORE
@_DATA_ROOT
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="How many finished trials to run again.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws the sample.")
@_JSON
@_guarded
def verify(study: str, store: str, data_root: str | None, sample: int, seed: int, as_json: bool) -> None:
    """Run some finished trials of STUDY again and compare.

    A random sample reproduces to the bit, or it is said by how much it differs in each column. Each trial trains in
    the company that it trained in before. Nothing is written. Exit code 1 when one does not reproduce.
    """
    from study.commands.verify import verify_study

    sys.exit(verify_study(study, store, data_root, sample=sample, seed=seed, as_json=as_json))


@main.command()
@click.argument("study")
@_STORE
@_DATA_ROOT
@click.option("--out", metavar="PATH", help="The file to write.  [default: ./<study>-bundle.zip]")
@_guarded
def bundle(study: str, store: str, data_root: str | None, out: str | None) -> None:
    """Pack STUDY, its records and its report into one zip file.

    For a paper's supplement, with the manifests of all launches. Names of machines and paths on them are left out.
    Unpacked elsewhere, `study report` makes the report again, without the data set.
    """
    from study.commands.bundle import bundle_study

    bundle_study(study, store, data_root, out=out)


@main.command()
@_STORE
@click.option("--encoders", is_flag=True, help="Also kept encoders whose trial has ended.")
@click.option("--curves", is_flag=True, help="Also learning curves whose trial has ended.")
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="DAYS",
    help="Only what was not changed for so many days.  [default: any age above an hour]",
)
@click.option("--dry-run", is_flag=True, help="List what would go and remove nothing.")
@_JSON
@_guarded
def gc(store: str, encoders: bool, curves: bool, older_than: float, dry_run: bool, as_json: bool) -> None:
    """Remove files that no study needs any more from the store.

    Records always stay. Removes checkpoints of trials that have ended, temporary files of killed processes, and
    Ray Tune's folders of dead launches. What was changed within an hour, or since the oldest launch began that runs
    now, stays too.
    """
    from study.commands.gc import collect_garbage

    sys.exit(
        collect_garbage(
            store,
            encoders=encoders,
            curves=curves,
            older_than=older_than,
            dry_run=dry_run,
            as_json=as_json,
        )
    )


@main.command()
@click.argument("study")
@_STORE
@_DATA_ROOT
@_guarded
def report(study: str, store: str, data_root: str | None) -> None:
    """Write the report of what the store holds of STUDY now."""
    from study.commands.run import report_study

    report_study(study, store, data_root)


@main.command()
@click.argument("study")
@click.argument("trial_id", required=False)
@_STORE
@_DATA_ROOT
@click.option("--put", is_flag=True, help="Put the record into the store when the trial is missing there.")
@_guarded
def trial(study: str, trial_id: str | None, store: str, data_root: str | None, put: bool) -> None:
    """Run one trial of STUDY in this process, without Ray, and show its record.

    TRIAL_ID may be shortened; without it, the first missing trial runs, or the first of all. A record that the
    store holds already is compared with the new one, column by column.
    """
    from study.commands.trial import run_one_trial

    sys.exit(run_one_trial(study, trial_id, store, data_root, put=put))


@main.command()
@click.argument("study")
@_DATA_ROOT
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
@_JSON
@_guarded
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


@main.command()
@click.argument("name")
@_DATA_ROOT
@click.option("--download", is_flag=True, help="Fetch it into the data root first, where it is not there.")
@click.option("--size", type=click.IntRange(min=1), help="Pixels that images are fitted to, as data.size.")
@_JSON
@_guarded
def data(name: str, data_root: str | None, download: bool, size: int | None, as_json: bool) -> None:
    """Check the data set NAME (see `study list data`): images, bytes, classes and checksum.

    Every image is decoded once, into a cache that all trials share: $STUDY_CACHE_ROOT, or by default
    ~/.cache/contrastive-robustness.
    """
    from study.commands.data import show_data

    show_data(name, data_root, size=size, download=download, as_json=as_json)


@main.command()
@click.argument("path", default="study.toml")
@_guarded
def init(path: str) -> None:
    """Write a commented study file to PATH (study.toml by default), which runs as it is."""
    from study.commands.init import write_template

    write_template(path)


@main.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--into", required=True, metavar="STORE", help="The store to copy to; made when it is not there."
)
@_guarded
def merge(sources: tuple[str, ...], into: str) -> None:
    """Copy the records of the stores SOURCE... into another store, each once.

    A trial that has a result in the target keeps it. Only records are copied: no encoders, checkpoints or reports.
    """
    from study.commands.merge import merge as merge_records

    merge_records(sources, into)


@main.command("list")
@click.argument(
    "what",
    type=click.Choice(["studies", "losses", "data", "encoders", "keys", "all"]),
    default="all",
    required=False,
)
def list_(what: str) -> None:
    """List what ships with the package: studies, losses with their spaces, data sets, encoders.

    `keys` are those of a study file, with types, defaults and meanings.
    """
    from study.commands.listing import show_listing

    show_listing(what)
