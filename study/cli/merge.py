"""`study merge`: copies the records of several stores into one."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from study.cli.options import guarded
from study.console import say, say_error
from study.errors import StudyError

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

    SOURCE is a store or a bundle, packed or unpacked.
    A trial that has a result in the target keeps it. Only records are copied, and with which seeds studies were first
    analysed: no encoders, checkpoints or reports.
    The command lists which records it did not copy, and why.
    """
    from study.launch.rerun import RUN_COLUMNS
    from study.report.bundle import is_packed, open_store_of
    from study.report.looks import copy_looks
    from trainables.store.merge import merge_stores

    if is_packed(into):
        raise StudyError(f"--into: got {into}, which is a packed bundle; unpack it, or name a store")
    with ExitStack() as stack:
        stores = [stack.enter_context(open_store_of(source)) for source in (*sources, into)]
        with stores[-1].writing():  # after a fault, copied records stay, and the same command continues
            report = merge_stores(stores[:-1], stores[-1], RUN_COLUMNS)
            copy_looks(stores[:-1], stores[-1])
    for damage in report.damaged:
        say_error(f"damaged record: {damage.path.parent}/{damage}; not copied")
    for line in report.refused:
        say_error(f"{line}; not copied")
    say(f"{report.copied} records copied to {into}, {report.present} were there already.")
    for line in _left_out(report):
        say(line)


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
