"""Where text for people goes: results to standard output, everything else to standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

#: No markup: names and messages of users may hold brackets.
CONSOLE = Console(highlight=False, markup=False)


def say_error(message: str) -> None:
    """One line on standard error, with the command's name before it."""
    say_note(f"study: {message}")


def say_note(message: str) -> None:
    """One line on standard error, of what was understood of the input."""
    Console(stderr=True, highlight=False, markup=False).print(message, soft_wrap=True)


@contextmanager
def working(message: str) -> Iterator[None]:
    """Says on standard error what takes long: beside a spinner while the block runs, or as one line elsewhere."""
    console = Console(stderr=True, highlight=False, markup=False)
    if console.is_terminal:
        with console.status(message):
            yield
    else:
        say_note(message)
        yield
