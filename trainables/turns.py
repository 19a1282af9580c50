"""Work in turns: a generator pauses after each turn, so that one thread can run several trials step by step.

`trainables.concurrent` runs trials of a GPU in this way. Everything else runs a generator to its end with `finish`.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from enum import Enum
from typing import Any, ParamSpec, TypeVar

Result = TypeVar("Result")
Pause = TypeVar("Pause")
Given = ParamSpec("Given")


class Turn(Enum):
    """What a trial has done when it pauses."""

    STEP = (
        "a step of a training or a part of a probe; its next turn waits at most for steps queued long before"
    )
    QUEUED = "work that the device may not have done yet; its next turn waits for it"
    STAGE = "a stage after training; its next turn may wait for the device"


#: A generator that pauses after each turn, and returns a result.
Turns = Generator[Turn, None, Result]

#: The stages of a trial after its training: record columns, after each of which it pauses, and further pauses.
Columns = Iterator[dict[str, Any] | Turn]


def finish(turns: Turns[Result]) -> Result:
    """Run all turns without a pause, and return the result."""
    while True:
        try:
            next(turns)
        except StopIteration as end:
            result: Result = end.value
            return result


def in_one_turn(function: Callable[Given, Result]) -> Callable[Given, Turns[Result]]:
    """The same function as a generator that never pauses."""

    def turns(*given: Given.args, **named: Given.kwargs) -> Turns[Result]:
        return function(*given, **named)
        yield

    return turns


def each_within(
    context: Callable[[], AbstractContextManager], turns: Generator[Pause, None, Result]
) -> Generator[Pause, None, Result]:
    """The same turns, each within a new context. A context with global effect thus never spans a pause."""
    try:
        while True:
            with context():
                try:
                    pause = next(turns)
                except StopIteration as end:
                    result: Result = end.value
                    return result
            yield pause
    except GeneratorExit:
        with context():  # the end may save what the context sets
            turns.close()
        raise
    finally:
        turns.close()
