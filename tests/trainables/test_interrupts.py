"""Signals wait until the end of a block, and are then handled as before."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from trainables.interrupts import signals_wait


@pytest.fixture
def handled() -> Iterator[list[int]]:
    """The signals that a handler of Python received."""
    numbers: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGTERM, before)


def test_a_signal_is_handled_after_the_block(handled: list[int]) -> None:
    with signals_wait():
        signal.raise_signal(signal.SIGTERM)
        assert handled == []
    assert handled == [signal.SIGTERM]
    signal.raise_signal(signal.SIGTERM)
    assert handled == [signal.SIGTERM] * 2


def test_an_interrupt_ends_the_block_after_its_last_line() -> None:
    reached: list[bool] = []

    def block() -> None:
        with signals_wait():
            signal.raise_signal(signal.SIGINT)
            reached.append(True)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert reached


def test_a_handler_that_python_cannot_restore_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    with monkeypatch.context() as patched:
        patched.setattr(signal, "signal", lambda *words: pytest.fail("a handler was replaced"))
        with signals_wait():
            pass


def test_in_another_thread_the_block_replaces_no_handler() -> None:
    """Python would raise there."""

    def block() -> bool:
        with signals_wait():
            return True

    with ThreadPoolExecutor() as pool:
        assert pool.submit(block).result()
