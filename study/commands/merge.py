"""`study merge`: the records of several stores in one."""

from collections.abc import Sequence

from study.console import CONSOLE, say_error
from study.launch.rerun import RUN_COLUMNS
from trainables.store.merge import MergeReport, merge_stores
from trainables.store.records import StoreError, open_store

#: Trials that are named one by one.
_NAMED = 5


def merge(sources: Sequence[str], into: str) -> None:
    """Copy what the sources hold beyond the target, and say what was left out and why."""
    try:
        report = merge_stores([open_store(source) for source in sources], open_store(into), RUN_COLUMNS)
    except OSError as error:  # a full disk: what is copied stays, and merging again goes on from there
        raise StoreError(f"store: cannot write to {into} ({error.strerror or error})") from error
    for path in report.damaged:
        say_error(f"damaged record: {path}; not copied")
    CONSOLE.print(
        f"{report.copied} records copied to {into}, {report.present} were there already.", soft_wrap=True
    )
    for line in _left_out(report):
        CONSOLE.print(line, soft_wrap=True)


def _left_out(report: MergeReport) -> list[str]:
    """One line for each reason for which records were not copied."""
    lines = []
    if report.repeated:
        lines.append(
            f"{report.repeated} left out: the target has the same results of their trials, run elsewhere."
        )
    if report.failures:
        lines.append(
            f"{report.failures} left out: failed or stopped trials of which the target has a result."
        )
    if trials := sorted(set(report.differing)):
        named = ", ".join(trials[:_NAMED]) + (", ..." if len(trials) > _NAMED else "")
        lines.append(
            f"{len(report.differing)} left out although their results differ from the target's, which stand: {named}"
        )
    return lines
