"""The errors that a user can fix, and the exit codes of the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainables.machine_faults import reason_of, remedy_of

#: DONE: every trial has a record, whatever its status. FAILED: something other than a trial failed. BAD_INPUT: the
#: input is invalid. INTERRUPTED: the user pressed Ctrl-C.
DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

#: The most characters of one message. A longer one contains a text that fills a screen.
LONGEST_LINE = 4000

#: The time of --max-hours is over and trials are left. The value is EX_TEMPFAIL of sysexits.h, "try again later". It
#: is not 0, so that a job in a chain of jobs can see from the exit code alone whether another job is needed. It is
#: not 1, so that the job does not submit itself again after a failure.
TIME_IS_UP = 75


class StudyError(Exception):
    """Bad input. One line names the field, the value and what is allowed. Nothing was written."""

    exit_code = BAD_INPUT


class AbsentData(StudyError):
    """The data set of a study is not on this machine. The message says what is absent and how to get it."""


@contextmanager
def named(where: str) -> Iterator[None]:
    """Put the place of an error before its message, such as the name of the study file."""
    try:
        yield
    except StudyError as error:
        raise type(error)(f"{where}: {error}") from error


class MissingRate(StudyError):
    """Losses without a learning rate, in a study where they have no default."""


class LaunchError(StudyError):
    """A launch that could not continue, explained in one line. Finished trials are kept."""

    exit_code = FAILED


@contextmanager
def writing(field: str, path: Path | str, otherwise: str = "choose another place") -> Iterator[None]:
    """Raise an `OSError` of the block as `StudyError`, with the option or the part of the study that names `path`.

    `otherwise` is what to do if the path itself is wrong.
    """
    try:
        yield
    except OSError as error:
        todo = remedy_of(error, otherwise)
        raise StudyError(f"{field}: cannot write to {path} ({reason_of(error)}); {todo}") from error
