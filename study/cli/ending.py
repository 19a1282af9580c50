"""The end of a command: its errors become one line and an exit code, whatever raised them."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any, TextIO, cast

import click

from analysis.names import brief, visible
from study.errors import BAD_INPUT, FAILED, INTERRUPTED, LONGEST_LINE, StudyError
from trainables.machine_faults import fault_number, is_of_the_machine, reason_of, remedy_of

#: What the store has after a fault of the machine: each record is written as soon as its trial has ended.
_KEPT = "finished trials are kept; run the same command again"

#: The name of standard output in the errors of its writes.
_OUTPUT = "standard output"


@contextmanager
def ending(*, has_store: bool) -> Iterator[None]:
    """Turn an exception of the block into one line on standard error and `SystemExit`. `has_store`: see `_KEPT`.

    Errors that a user can correct have exit code 2, and faults of the machine 1. Any other exception is a fault of
    the program: its traceback is printed, since a report of the fault needs it, and then one line.
    """
    try:
        with _named_output():
            yield
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.filename == _OUTPUT:
            _drop_output()
            if isinstance(error, BrokenPipeError):  # the reader of a pipe has gone, as `head` does
                sys.exit(FAILED)
        line, code = _ended(error, has_store)
        if line is None:
            _print("".join(traceback.format_exception(error)).rstrip("\n"))
            kept = "; finished trials are kept" if has_store else ""
            line = f"this is a fault of the program; please report it with the lines above{kept}"
        say_end(line)
        sys.exit(code)
    except KeyboardInterrupt:
        say_end("stopped")
        sys.exit(INTERRUPTED)


def say_end(line: str) -> None:
    """Print the line on standard error with which a command ends, as `study.console.say_error` does.

    It imports nothing, since no descriptor and no memory may be left. A line that cannot be printed is dropped.
    """
    _print(visible(brief(f"study: {line}", LONGEST_LINE)))


def _print(text: str) -> None:
    """Print a text on standard error with codes for control characters; line breaks and tabs stay."""
    with suppress(OSError, ValueError):
        # click would write UTF-8 to a stream of ASCII, unless it gets the stream.
        click.echo(visible(text, lines=True), file=sys.stderr, err=True)


def _ended(error: Exception, has_store: bool) -> tuple[str | None, int]:
    """The line about an error and the exit code; None for a fault of the program."""
    if isinstance(error, (StudyError, *_imported_errors())):
        code = getattr(error, "exit_code", BAD_INPUT)
        if fault_number(error) is None:
            return str(error), code
        return f"{error}{_rest(error, has_store)}", FAILED if is_of_the_machine(error) else code
    if isinstance(error, RecursionError):
        return f"the input is nested too deep, or has too long a chain of references ({error})", BAD_INPUT
    if isinstance(error, OSError):
        place = f"{error.filename}: cannot be used" if error.filename else "a file cannot be used"
        trains = has_store and error.filename != _OUTPUT  # most output is of commands that only look
        rest = _rest(error, trains)
        return f"{place} ({reason_of(error)}){rest}", FAILED
    if fault_number(error) is not None:
        return f"cannot continue ({reason_of(error)}){_rest(error, has_store)}", FAILED
    return None, FAILED


def _imported_errors() -> Iterator[type[Exception]]:
    """The classes of errors that a user can correct, of the modules that are imported: only these can raise one.

    Nothing is imported here, since no descriptor may be left.
    """
    for module, name in (
        ("trainables.datasets.source", "DataError"),
        ("trainables.store.files", "StoreError"),
    ):
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None:
            yield kind


def _rest(error: Exception, has_store: bool) -> str:
    """What to do about a fault of the machine, unless the message says it, and what is kept."""
    remedy = remedy_of(error)
    parts = [*([remedy] if remedy and remedy not in str(error) else []), *([_KEPT] if has_store else [])]
    return "".join(f"; {part}" for part in parts)


class _NamedOutput:
    """Standard output whose errors have its name. It has all other attributes of `stream`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with _named():
            return self._stream.write(text)

    def flush(self) -> None:
        with _named():
            self._stream.flush()


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), _OUTPUT) from error


@contextmanager
def _named_output() -> Iterator[None]:
    """Let errors of standard output in the block have its name; at its end, everything is written."""
    if sys.stdout is None or isinstance(sys.stdout, _NamedOutput):
        yield
        return
    named = _NamedOutput(sys.stdout)
    with redirect_stdout(cast(TextIO, named)):
        try:
            yield
        except SystemExit:
            named.flush()
            raise
        named.flush()


def _drop_output() -> None:
    """Send standard output nowhere, so that Python does not fail again when it flushes it at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
