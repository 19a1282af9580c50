"""Options that several commands share, and `guarded`, which turns errors of users into one line and an exit code."""

import functools
import sys
from collections.abc import Callable
from typing import Any

import click

from study.errors import BAD_INPUT, INTERRUPTED, StudyError

STORE = click.option(
    "--store", default="./results", show_default=True, metavar="PATH", help="Where records and reports live."
)
DATA_ROOT = click.option(
    "--data-root",
    envvar="STUDY_DATA_ROOT",
    metavar="PATH",
    help="Where data sets lie; or set STUDY_DATA_ROOT.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
WORKERS = click.option(
    "--workers", type=click.IntRange(min=1), help="Trials at a time.  [default: all that fit]"
)
RUNNER = click.option(
    "--runner",
    type=click.Choice(["ray", "inline"]),
    default="ray",
    show_default=True,
    help="Ray Tune on all cores, or one trial after another in this process.",
)
ADDRESS = click.option(
    "--address",
    metavar="auto|HOST:PORT",
    help="Head node of a Ray cluster that runs already.  [default: Ray on this machine alone]",
)
MAX_HOURS = click.option(
    "--max-hours",
    type=float,
    metavar="H",
    help="Stop after so many hours as Ctrl-C does, with exit code 75 when trials are left.  [default: when done]",
)


def guarded(command: Callable[..., int | None]) -> Callable[..., None]:
    """Turn errors that a user can correct into one line and exit code 2.

    `command` may return its exit code; None is 0.
    """

    @functools.wraps(command)
    def call(*args: Any, **options: Any) -> None:
        from trainables.datasets.source import DataError
        from trainables.own_code import use_own_folders
        from trainables.store.records import StoreError

        use_own_folders()  # until a study file is read, which has a folder of its own
        try:
            sys.exit(command(*args, **options))
        except (StudyError, StoreError, DataError) as error:
            click.echo(f"study: {error}", err=True)
            sys.exit(getattr(error, "exit_code", BAD_INPUT))
        except KeyboardInterrupt:
            click.echo("study: stopped", err=True)
            sys.exit(INTERRUPTED)

    return call
