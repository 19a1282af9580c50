"""Runs lists of trials in this process, one after another: for debugging and for machines without Ray."""

from collections.abc import Sequence

from study.events import Finished, Listener, LostStack
from trainables.leased_work import lease_stacks
from trainables.work import LaunchContext, Stack, run_stack, validation_values


def run_inline(
    lists: Sequence[Sequence[Stack]], context: LaunchContext, listener: Listener
) -> list[LostStack]:
    """Run what is free of every list. Nothing gets lost but with this process itself, so the result is empty."""
    for stacks in lists:
        with lease_stacks(stacks, context) as leased:
            for stack in leased.stacks:
                _run(leased.held(stack), context, listener)
                leased.release([stack])
    return []


def _run(stack: Stack, context: LaunchContext, listener: Listener) -> None:
    listener.tick()
    for unit in stack:
        listener.started(unit)
    for record in run_stack(stack, context) if stack else ():
        listener.finished(
            Finished(
                trial_id=record.trial_id,
                status=record.status,
                seconds=record.seconds_total,
                values=validation_values(record),
            )
        )
