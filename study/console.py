"""Text for people: results go to standard output, everything else to standard error.

Commands, the launch and the loading of studies print through this module.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

#: No markup: names and messages of users may hold brackets.
CONSOLE = Console(highlight=False, markup=False)


def say_error(message: str) -> None:
    """Print one line on standard error, with the command's name before it."""
    say_note(f"study: {message}")


def say_note(message: str) -> None:
    """Print one line on standard error, such as how a command understood its input."""
    Console(stderr=True, highlight=False, markup=False).print(message, soft_wrap=True)


@contextmanager
def working(message: str) -> Iterator[None]:
    """Say on standard error what takes long: with a spinner while the block runs in a terminal, or as one line."""
    console = Console(stderr=True, highlight=False, markup=False)
    if console.is_terminal:
        with console.status(message):
            yield
    else:
        say_note(message)
        yield


def format_bytes(count: int) -> str:
    """A size in words: "812 B", "3.4 MB"."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def format_seconds(seconds: float) -> str:
    """A duration in words: "48 s", "3 min 20 s", "5 h 12 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
