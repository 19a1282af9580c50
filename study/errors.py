"""What a user can mend, and the exit codes of the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

#: Every trial has its record, whatever its status; something failed that is no trial; bad input; Ctrl-C.
DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

#: The time of --max-hours is up and trials are left: EX_TEMPFAIL of sysexits.h, "try again later". Not 0, so that a
#: job that is one of a chain knows by its exit code alone whether another one is needed; not 1, so that it does not
#: submit itself again after a failure.
TIME_IS_UP = 75


class StudyError(Exception):
    """Bad input, in one line that names the field, what came and what is allowed. Nothing was written."""

    exit_code = BAD_INPUT


@contextmanager
def named(where: str) -> Iterator[None]:
    """Says where a fault lies, such as the study file that has it."""
    try:
        yield
    except StudyError as error:
        raise type(error)(f"{where}: {error}") from error


class LaunchError(StudyError):
    """A launch that could not go on, in one line. What is finished is kept."""

    exit_code = FAILED
