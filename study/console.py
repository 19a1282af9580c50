"""Printing for the terminal: results go to standard output, everything else goes to standard error.

The commands, the launch and the loading of studies print through this module.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.names import visible


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


def literal(text: str, style: str = "") -> Text:
    """A text for tables and panels that has codes in place of control characters; line breaks and tabs stay."""
    return Text(visible(text, lines=True), style=style)


_WIDE = 10_000  # characters of a line, where no terminal limits it


def say_error(message: str) -> None:
    """Print one line on standard error, with the command's name before it."""
    say_note(f"study: {message}")


def say_note(message: str) -> None:
    """Print one line on standard error, such as how a command understood its input.

    A line that cannot be printed, for example into a file on a full disk, does not end the command.
    """
    with suppress(OSError):
        LiteralConsole(stderr=True).print(visible(message), soft_wrap=True)


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
