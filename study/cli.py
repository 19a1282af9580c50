"""The command line: `study plan | run | status | report | trial | bench | data | list`.

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
@_guarded
def run(study: str, store: str, data_root: str | None, workers: int | None, runner: str) -> None:
    """Run the missing trials of STUDY, then write its report.

    Every finished trial is kept whatever happens; the same command continues where it stopped.
    """
    from study.commands.run import run_study

    sys.exit(run_study(study, store, data_root, workers=workers, runner=runner))


@main.command()
@click.argument("study")
@_STORE
@_DATA_ROOT
@_JSON
@_guarded
def status(study: str, store: str, data_root: str | None, as_json: bool) -> None:
    """Show how many trials of STUDY are done, failed and missing."""
    from study.commands.plan import show_status

    show_status(study, store, data_root, as_json=as_json)


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


@main.command("list")
@click.argument(
    "what", type=click.Choice(["studies", "losses", "data", "encoders", "all"]), default="all", required=False
)
def list_(what: str) -> None:
    """List what ships with the package: studies, losses with their spaces, data sets, encoders."""
    from study.commands.listing import show_listing

    show_listing(what)
