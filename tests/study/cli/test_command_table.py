"""The table of commands in `study/cli/main.py` agrees with their modules, and help imports nothing heavy."""

import re
import subprocess
import sys
from importlib import resources

import click
import pytest

from study.cli.main import SUMMARIES, load_command

#: Modules of `study/cli` that are no commands.
_SHARED = {"__init__", "beside", "ending", "main", "options", "tables"}


def test_every_command_has_a_module_and_every_module_a_command() -> None:
    files = (path.name for path in resources.files("study.cli").iterdir())
    modules = {name.removesuffix(".py") for name in files if name.endswith(".py")} - _SHARED
    assert modules == {load_command(name).callback.__module__.split(".")[-1] for name in SUMMARIES}
    assert {name.rstrip("_") for name in modules} == set(SUMMARIES)


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_module_of_a_command_has_its_name_and_its_summary(name: str) -> None:
    command = load_command(name)
    assert isinstance(command, click.Command)
    assert command.name == name
    help_text = " ".join((command.help or "").split())
    sentence = re.match(r".*?\.(?= |$)", help_text)
    assert sentence is not None
    assert sentence[0] == SUMMARIES[name]


def test_help_of_commands_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from study.cli.main import load_command\n"
        "for name in sys.argv[1:]: load_command(name)\n"
        "heavy = ('torch', 'ray', 'pandas', 'sklearn', 'pyarrow', 'numpy', 'pydantic', 'optuna')\n"
        "print(*(name for name in heavy if name in sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code, *SUMMARIES], text=True).split() == []
