"""The terminal prints texts of users literally: no markup, no codes of emoji, no control characters."""

import io

import pytest
from rich.live import Live
from rich.table import Table

from study.console import LiteralConsole, literal, say_error, working
from tests.analysis.hostile import NAMES

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
