"""Printing for the terminal: results go to standard output, everything else goes to standard error.

The commands, the launch and the loading of studies print through this module.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

#: Markup is off, because users' names and messages may contain brackets.
CONSOLE = Console(highlight=False, markup=False)


_WIDE = 10_000  # characters of a line, where no terminal limits it


def say_error(message: str) -> None:
    """Print one line on standard error, with the command's name before it."""
    say_note(f"study: {message}")


def say_note(message: str) -> None:
    """Print one line on standard error, such as how a command understood its input."""
    Console(stderr=True, highlight=False, markup=False).print(message, soft_wrap=True)


def say_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on standard error. Only a terminal breaks its lines."""
    table = Table(*titles, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(table)


@contextmanager
def working(message: str) -> Iterator[None]:
    """Show on standard error what a slow block does: as a spinner in a terminal, otherwise as one line."""
    console = Console(stderr=True, highlight=False, markup=False)
    if console.is_terminal:
        with console.status(message):
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
