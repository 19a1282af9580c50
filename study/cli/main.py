"""The command line `study`: its commands with their summaries, and the lookup of each command's module.

This module imports click and nothing slow. It imports the module of a command only when that command is called.
"""

import importlib
import io
import re
import sys
from collections.abc import Callable
from typing import Any, cast

import click

from study.cli.ending import ending, say_end
from study.cli.options import parameter_name
from study.errors import DONE, INTERRUPTED
from trainables.suggestion import did_you_mean, short_name

#: All commands, each with the first sentence of its help text.
SUMMARIES = {
    "plan": "Show what STUDY would run, what is done, and what the missing trials will cost.",
    "run": "Run the missing trials of STUDY, then write its report.",
    "retry": "Run failed trials of STUDY again and keep their history.",
    "trial": "Run one trial of STUDY in this process, without Ray, and show its record.",
    "verify": "Run some finished trials of STUDY again and compare the results.",
    "bench": "Measure how fast this machine trains trials of STUDY, and where the time goes.",
    "status": "Show how many trials of STUDY are done, failed and missing.",
    "watch": "Serve a page that shows STUDY while it runs: progress, surfaces, failures.",
    "failures": "Show failed trials of STUDY by error, with one traceback each.",
    "show": "Show everything that the store has about one trial.",
    "report": "Write the report of STUDY, or of a table of results that another tool made.",
    "recommend": "Name the loss and the setting that the records of STUDY support.",
    "compare": "Write one report of several STUDIES.",
    "claims": "Write one page with the findings on the claims that STUDIES make.",
    "cancel": "Stop the running launches of STUDY, as Ctrl-C does.",
    "import": "Check a table of results and keep it with the meaning of its columns.",
    "merge": "Copy the records of several stores into another one, each once.",
    "gc": "Remove files from the store that no study needs any more.",
    "bundle": "Pack STUDY, its records and its report into one zip file.",
    "init": "Write a commented study file to PATH that can run unchanged.",
    "extend": "Add values, seeds, losses or points to STUDY, then show what would run.",
    "list": "List the studies, losses, data sets, encoders and views of the package.",
    "data": "Check the data set NAME: images, bytes, classes and checksum.",
    "demo": "Write an invented study with known answers, and its report.",
}

#: Commands whose names are Python keywords or built-ins. The names of their modules end in an underscore.
_PYTHON_NAMES = ("import", "list")


def load_command(name: str) -> click.Command:
    """Import the module of a command of `SUMMARIES` and return its `command`."""
    module = importlib.import_module(f"study.cli.{name}{'_' if name in _PYTHON_NAMES else ''}")
    command: click.Command = module.command
    return command


class LazyGroup(click.Group):
    """A click group that holds only summaries and loads a command when it is called."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line. Errors of usage become one line in the form of all other messages."""
        run = cast(Callable[..., Any], super().main)
        # Characters that the terminal's encoding lacks become their codes.
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        if not options.get("standalone_mode", True):
            return run(*args, **options)
        try:
            # Importing the module of a command may fail too, before `guarded` begins.
            with ending(has_store=False):
                code = run(*args, **options | {"standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.ClickException as error:
            say_end(usage_line(error))
            sys.exit(error.exit_code)
        except click.Abort:
            say_end("stopped")
            sys.exit(INTERRUPTED)
        sys.exit(code if isinstance(code, int) else DONE)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Replace the placeholder that click finds with the command itself."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else found, rest


def usage_line(error: click.ClickException) -> str:
    """The message of click as one line: the parameter, what is wrong with it, and click's suggestion."""
    context = getattr(error, "ctx", None)
    command = f"{context.info_name}: " if context is not None and context.parent is not None else ""
    parameter = getattr(error, "param", None)
    if isinstance(error, click.MissingParameter) and parameter is not None:
        return f"{command}{parameter_name(parameter)}: is missing"
    if isinstance(error, click.BadParameter) and parameter is not None:
        message = _one_line(error.message)
        if (got := re.match(r"'?([^']*?)'? is not ", message)) and (allowed := _allowed(parameter.type)):
            near = did_you_mean(got[1], getattr(parameter.type, "choices", ()))
            message = f"got '{short_name(got[1])}'{near}, must be {allowed}"
        return f"{command}{parameter_name(parameter)}: {message}"
    return f"{command}{_one_line(error.format_message())}"


def _allowed(kind: click.ParamType) -> str:
    """The allowed values of a parameter in words; "" for types that have none."""
    if isinstance(kind, click.Choice):
        return f"one of {', '.join(kind.choices)}"
    is_whole = isinstance(kind, (click.types.IntParamType, click.IntRange))
    is_number = isinstance(kind, (click.types.FloatParamType, click.FloatRange))
    words = "a whole number" if is_whole else "a number" if is_number else ""
    low, high = getattr(kind, "min", None), getattr(kind, "max", None)
    if low is None or not words:
        return words
    if high is not None:
        return f"{words} from {low:g} to {high:g}"
    return f"{words} {'above' if getattr(kind, 'min_open', False) else 'of at least'} {low:g}"


def _one_line(message: str) -> str:
    """A message of click without its full stops, and with suggestions in brackets as in all other messages."""
    text = " ".join(message.split())
    text = re.sub(r"[.]? \(?Did you mean (?:one of: )?([^?]*)[?]\)?", r" (did you mean \1?)", text).rstrip(
        "."
    )
    return text[:1].lower() + text[1:]


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="contrastive-robustness")
def main() -> None:
    """Hyperparameter robustness studies of contrastive losses.

    STUDY is the name of a shipped study (see `study list studies`) or the path of a study file.
    """


for _name, _summary in SUMMARIES.items():
    main.add_command(click.Command(_name, short_help=_summary))
