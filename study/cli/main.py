"""The command line `study`: its commands with their summaries, and the lookup of each command's module.

This module imports click and nothing slow. It imports the module of a command only when that command is called.
"""

import importlib

import click

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
    "compare": "Write one report of several STUDIES.",
    "claims": "Write one page with the findings on the claims that STUDIES make.",
    "cancel": "Stop the running launches of STUDY, as Ctrl-C does.",
    "import": "Check a table of results and keep it with the meaning of its columns.",
    "merge": "Copy the records of several stores into another one, each once.",
    "gc": "Remove files from the store that no study needs any more.",
    "bundle": "Pack STUDY, its records and its report into one zip file.",
    "init": "Write a commented study file to PATH that can run unchanged.",
    "extend": "Add values, seeds, losses or points to STUDY, then show what would run.",
    "list": "List the studies, losses, data sets and encoders of the package.",
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Replace the placeholder that click finds with the command itself."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else found, rest


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="contrastive-robustness")
def main() -> None:
    """Hyperparameter robustness studies of contrastive losses.

    STUDY is the name of a shipped study (see `study list studies`) or the path of a study file.
    """


for _name, _summary in SUMMARIES.items():
    main.add_command(click.Command(_name, short_help=_summary))
