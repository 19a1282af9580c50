"""A progress bar and messages on standard error for slow work on data sets, such as decoding.

The bar appears only if standard error is a terminal.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")


def shown(items: Iterable[_Item], total: int, title: str, count: Callable[[_Item], int]) -> Iterator[_Item]:
    """Yield `items`. After each item is processed, the bar advances by `count(item)` of `total`."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(_printable(title)), total=total)
        for item in items:
            yield item
            progress.advance(task, count(item))


def say(message: str) -> None:
    """Print one line on standard error about an event that does not end the work."""
    print(f"data: {_printable(message)}", file=sys.stderr, flush=True)


def _printable(text: str) -> str:
    """The text with codes for characters that a terminal would obey, since names of files may contain any."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
