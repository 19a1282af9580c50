"""Printing for the terminal: results go to standard output, everything else goes to standard error.

The commands, the launch and the loading of studies print through this module, and nothing else prints. Texts of users
and of records are data: no control character, no markup and no mark of direction of theirs reaches the terminal.
"""

import json
import logging
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.names import brief, visible
from study.errors import LONGEST_LINE


class LiteralConsole(Console):
    """A console that prints texts literally: no markup, no codes of emoji, no control characters.

    Names and messages come from users and may contain any of them. Texts in tables and panels are included, except
    those that are already `rich.text.Text`; make these with `literal`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """The text with codes in place of control characters; line breaks and tabs stay."""
        return super().render_str(visible(text, lines=True), **options)


CONSOLE = LiteralConsole()

#: Characters of a line of a table, where no terminal limits it.
_WIDE = 10_000


def literal(text: str, style: str = "") -> Text:
    """A text for tables and panels that has codes in place of control characters; line breaks and tabs stay."""
    return Text(visible(text, lines=True), style=style)


def say(message: str) -> None:
    """Print one line of a result. A line break in it becomes its code, so no text in it looks like another line."""
    CONSOLE.print(visible(message), soft_wrap=True)


def say_json(facts: Mapping[str, Any]) -> None:
    """Print one line of JSON in ASCII. A number that is not finite is null, because JSON has no such numbers."""
    print(json.dumps(_finite(facts), default=str, allow_nan=False), flush=True)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def shell_line(*words: object) -> str:
    """A command for the reader's shell, which takes each word as it is."""
    return shlex.join(map(str, words))


def say_error(message: object) -> None:
    """Print one line on standard error, with the command's name before it."""
    say_note(f"study: {message}")


def say_note(message: str) -> None:
    """Print one line on standard error, such as how a command understood its input. It shortens a very long one.

    A line that cannot be printed, for example into a file on a full disk, does not end the command.
    """
    with suppress(OSError):
        LiteralConsole(stderr=True).print(visible(brief(message, LONGEST_LINE)), soft_wrap=True)


def literal_logs() -> None:
    """Print warnings of the log as other messages: one line on standard error, with codes for control characters."""
    if logging.lastResort is not None:  # the handler of Python for programs that configure no other
        logging.lastResort.setFormatter(_LiteralFormatter())


class _LiteralFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return visible(brief(super().format(record), LONGEST_LINE))


def say_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on standard error. Only a terminal breaks its lines."""
    table = Table(*titles, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(literal, row))
    console = LiteralConsole(stderr=True)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(table)


@contextmanager
def working(message: str) -> Iterator[None]:
    """Show on standard error what a slow block does: as a spinner in a terminal, otherwise as one line."""
    console = LiteralConsole(stderr=True)
    if console.is_terminal:
        with console.status(literal(message)):
            yield
    else:
        say_note(message)
        yield


def format_bytes(count: int) -> str:
    """A size with its unit, such as "812 B" or "3.4 MB"."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def format_seconds(seconds: float) -> str:
    """A duration with its units, such as "48 s", "3 min 20 s" or "5 h 12 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
