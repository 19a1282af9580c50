"""The terminal prints texts of users literally: no markup, no codes of emoji, no control characters."""

import io
import json
import logging
import math
import os
import shlex
import subprocess
import sys

import pytest
from rich.live import Live
from rich.table import Table

from study.console import (
    LiteralConsole,
    literal,
    literal_logs,
    say,
    say_error,
    say_json,
    shell_line,
    working,
)
from tests.analysis.hostile import NAMES, TEXTS

_TEXT = "[red]a[/red] :smile: \x1b[31m\x07\u202e $x$ <b> {0}"
_SHOWN = "[red]a[/red] :smile: \\x1b[31m\\x07\\u202e $x$ <b> {0}"


def console() -> LiteralConsole:
    return LiteralConsole(file=io.StringIO(), width=120, force_terminal=True, color_system=None)


def printed(target: LiteralConsole) -> str:
    assert isinstance(target.file, io.StringIO)
    return target.file.getvalue()


def test_lines_and_tables_are_literal() -> None:
    target = console()
    target.print(_TEXT, soft_wrap=True)
    table = Table(_TEXT, title=_TEXT, caption=_TEXT, box=None)
    table.add_row(_TEXT)
    target.print(table)
    assert printed(target).count(_SHOWN) == 5
    assert "\x1b" not in printed(target)


def test_lines_of_a_text_stay() -> None:
    target = console()
    target.print("one\n  two\tthree", soft_wrap=True)
    assert [line.split() for line in printed(target).splitlines()] == [["one"], ["two", "three"]]


def test_panels_are_literal() -> None:
    target = console()
    with Live(literal(_TEXT, "dim"), console=target, auto_refresh=False):
        pass
    assert _SHOWN in printed(target)


@pytest.mark.parametrize("name", NAMES)
def test_a_message_is_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    say_error(f"loss {name}: unknown")
    line = capsys.readouterr().err
    assert line.endswith(": unknown\n")
    assert len(line.splitlines()) == 1
    assert line[:-1].isprintable()


def test_what_a_slow_block_does_is_literal(capsys: pytest.CaptureFixture[str]) -> None:
    with working(_TEXT):
        pass
    assert capsys.readouterr().err == f"{_SHOWN}\n"


@pytest.mark.parametrize("text", TEXTS)
def test_a_line_of_a_result_is_one_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(f"arm {text} ended")
    line = capsys.readouterr().out
    assert line.endswith(" ended\n")
    assert line[:-1].isprintable()


def test_a_very_long_message_is_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    say_error(10_000 * "x")
    assert capsys.readouterr().err == f"study: {3993 * 'x'}… (6007 more characters)\n"


def test_json_is_ascii_and_standard(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"a": ["\x1b\x9b\u202e\x7fé\ud800", {"b": (math.nan, -math.inf, 1.5)}], "c": {1: None}}
    say_json(facts)
    line = capsys.readouterr().out
    assert line.isascii()
    assert line[:-1].isprintable()
    assert json.loads(line, parse_constant=pytest.fail) == {
        "a": ["\x1b\x9b\u202e\x7fé\ud800", {"b": [None, None, 1.5]}],
        "c": {"1": None},
    }


@pytest.mark.parametrize("text", TEXTS)
def test_a_shell_takes_each_word_as_it_is(text: str) -> None:
    word = text.replace("\0", "")  # no command line can have it
    line = shell_line("printf", "%s", word)
    assert shlex.split(line) == ["printf", "%s", word]
    assert subprocess.check_output(["sh", "-c", line]).decode() == word


def test_warnings_of_the_log_are_one_line() -> None:
    code = (
        "import logging; from study.console import literal_logs; literal_logs(); "
        "logging.getLogger('a').warning('lost: %s', 'a\\n\\x1b[31m')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "lost: a\\n\\x1b[31m\n"
    literal_logs()
    assert logging.lastResort is not None


def test_a_terminal_without_unicode_shows_codes() -> None:
    code = "from study.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "plan", "é.toml"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 2
    assert b"cannot read \\xe9.toml: No such file" in done.stderr
