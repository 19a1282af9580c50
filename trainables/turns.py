"""Work in turns: a generator pauses after each turn, so that one thread can run several trials step by step.

`trainables.concurrent` runs trials of a GPU in this way. Everything else runs a generator to its end with `finish`.
"""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from enum import Enum
from typing import TypeVar

Result = TypeVar("Result")

#: A generator that pauses after each turn, and returns a result.
Turns = Generator[None, None, Result]


class Turn(Enum):
    """What a trial has done when it pauses."""

    STEP = "a training step; its next turn waits at most for steps that were queued long before"
    STAGE = "a stage after training; its next turn may wait for the device"


def finish(turns: Turns[Result]) -> Result:
    """Run all turns without a pause, and return the result."""
    while True:
        try:
            next(turns)
        except StopIteration as end:
            result: Result = end.value
            return result


def each_within(context: Callable[[], AbstractContextManager], turns: Turns[Result]) -> Turns[Result]:
    """The same turns, each within a new context. A context with global effect thus never spans a pause."""
    try:
        while True:
            with context():
                try:
                    next(turns)
                except StopIteration as end:
                    result: Result = end.value
                    return result
            yield
    except GeneratorExit:
        with context():  # the end may save what the context sets
            turns.close()
        raise
    finally:
        turns.close()
