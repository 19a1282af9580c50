"""A progress bar for what takes minutes, once: on standard error, and only where that is a terminal."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")


def shown(items: Iterable[_Item], total: int, title: str, count: Callable[[_Item], int]) -> Iterator[_Item]:
    """Passes `items` on; the bar counts `count(item)` of `total` for each that has been dealt with."""
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
    """One line on standard error about something that the work goes on after."""
    print(f"data: {message}", file=sys.stderr, flush=True)
