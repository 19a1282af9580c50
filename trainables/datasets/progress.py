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
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        for item in items:
            yield item
            progress.advance(task, count(item))


def say(message: str) -> None:
    """Print one line on standard error about an event that does not end the work."""
    print(f"data: {message}", file=sys.stderr, flush=True)
