"""`study merge`: copies the records of several stores into one."""

from typing import TYPE_CHECKING

import click

from study.cli.options import guarded
from study.console import CONSOLE, say_error

if TYPE_CHECKING:
    from trainables.store.merge import MergeReport

#: The most trials that a message names one by one.
_NAMED = 5


@click.command("merge")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--into", required=True, metavar="STORE", help="The store to copy to; it is created if it does not exist."
)
@guarded
def command(sources: tuple[str, ...], into: str) -> None:
    """Copy the records of several stores into another one, each once.

    A trial that has a result in the target keeps it. Only records are copied: no encoders, checkpoints or reports.
    The command lists which records it did not copy, and why.
    """
    from study.launch.rerun import RUN_COLUMNS
    from trainables.store.merge import merge_stores
    from trainables.store.records import open_store

    target = open_store(into)
    with target.writing():  # after a fault, copied records stay, and the same command continues
        report = merge_stores([open_store(source) for source in sources], target, RUN_COLUMNS)
    for path in report.damaged:
        say_error(f"damaged record: {path}; not copied")
    CONSOLE.print(
        f"{report.copied} records copied to {into}, {report.present} were there already.", soft_wrap=True
    )
    for line in _left_out(report):
        CONSOLE.print(line, soft_wrap=True)


def _left_out(report: "MergeReport") -> list[str]:
    """One line for each reason for which records were not copied."""
    lines = []
    if report.repeated:
        lines.append(
            f"{report.repeated} left out: the target has the same results of these trials from other runs."
        )
    if report.failures:
        lines.append(
            f"{report.failures} left out: failed or stopped trials for which the target has a result."
        )
    if trials := sorted(set(report.differing)):
        named = ", ".join(trials[:_NAMED]) + (", ..." if len(trials) > _NAMED else "")
        lines.append(
            f"{len(report.differing)} left out although their results differ from the target's, which stay: {named}"
        )
    return lines
