"""Options that several commands share, and `guarded`, which turns errors into one line and an exit code."""

import functools
import math
import sys
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from study.cli.ending import ending
from study.errors import StudyError

STORE = click.option(
    "--store", default="./results", show_default=True, metavar="PATH", help="Folder of records and reports."
)
DATA_ROOT = click.option(
    "--data-root",
    envvar="STUDY_DATA_ROOT",
    metavar="PATH",
    help="Folder of the data sets; or set STUDY_DATA_ROOT.",
)
TRUST_CODE = click.option(
    "--trust-code",
    is_flag=True,
    help="Run what STUDY names although it is in a bundle that somebody else may have written: own losses, networks "
    "and data sets by import path, files outside of the data root, trackers.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
WORKERS = click.option(
    "--workers", type=click.IntRange(min=1), help="Number of workers.  [default: all that fit]"
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
    help="Head node of a running Ray cluster.  [default: Ray only on this machine]",
)
MAX_HOURS = click.option(
    "--max-hours",
    type=float,
    metavar="H",
    help="Stop after H hours, as Ctrl-C does, with exit code 75 if trials are left.  [default: when done]",
)

#: Parameters that name a store.
_STORES = ("store", "into")


def guarded(command: Callable[..., int | None]) -> Callable[..., None]:
    """Run a command, and end it as `ending` describes. `command` may return its exit code; None means 0.

    It does not get `trust_code`, which holds for the process.
    """

    @functools.wraps(command)
    def call(*args: Any, **options: Any) -> None:
        from trainables.own_code import start_own_code

        context = click.get_current_context()
        with ending(has_store=any(parameter.name in _STORES for parameter in context.command.params)):
            # This call stands first, since the others import installed packages.
            start_own_code(trusted=options.pop("trust_code", False))
            from study.console import literal_logs

            literal_logs()
            _check_given(context)
            code = command(*args, **options)
        sys.exit(code)

    return call


def _check_given(context: click.Context) -> None:
    """Raise `StudyError` for an empty text or a number that is not finite on the command line.

    A variable of the shell that is not set gives an empty text, as in `--store "$STORE"`.
    """
    for parameter in context.command.params:
        given = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        value = context.params.get(str(parameter.name))
        for each in value if isinstance(value, tuple) else (value,):
            if given and isinstance(each, str) and not each.strip():
                raise StudyError(f"{parameter_name(parameter)}: got an empty text")
            if given and isinstance(each, float) and not math.isfinite(each):
                raise StudyError(f"{parameter_name(parameter)}: got {each}, must be a finite number")


def parameter_name(parameter: click.Parameter) -> str:
    """The parameter as a user writes it: `--store` or `STUDY`."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return (parameter.metavar or str(parameter.name)).upper()
