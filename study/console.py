"""Where text for people goes: results to standard output, everything else to standard error."""

from rich.console import Console

#: No markup: names and messages of users may hold brackets.
CONSOLE = Console(highlight=False, markup=False)


def say_error(message: str) -> None:
    """One line on standard error, with the command's name before it."""
    say_note(f"study: {message}")


def say_note(message: str) -> None:
    """One line on standard error, of what was understood of the input."""
    Console(stderr=True, highlight=False, markup=False).print(message, soft_wrap=True)
