"""A runner that runs lists of trials in this process, for debugging and machines without Ray.

Trials run one after another, or on a GPU several at the same time if the study file says so.
"""

import time
from collections.abc import Sequence
from contextlib import closing

from study.console import say
from study.events import Finished, Listener, LostStack
from trainables.leased_work import LeasedLists, lease_stacks
from trainables.store.schema import TrialRecord
from trainables.work import LaunchContext, Stack, run_stack, validation_values

_TICK_SECONDS = 0.5


def run_inline(
    lists: Sequence[Sequence[Stack]], context: LaunchContext, listener: Listener
) -> list[LostStack]:
    """Run the trials of every list whose leases are free. Returns no lost stack, since there is no worker process."""
    if context.concurrent:
        _run_concurrently(lists, context, listener)
        return []
    for stacks in lists:
        with lease_stacks(stacks, context) as leased:
            for stack in leased.stacks:
                listener.tick()
                held = leased.held(stack)
                for unit in held:
                    listener.started(unit)
                for record in run_stack(held, context) if held else ():
                    listener.finished(_finished(record))
                leased.release([stack])
    return []


def _run_concurrently(lists: Sequence[Sequence[Stack]], context: LaunchContext, listener: Listener) -> None:
    """Run the trials of all lists on the GPU of this process, several at the same time."""
    from trainables.concurrent import ConcurrentGroup  # imports torch, which plans do not need

    numbered, ticked = iter(enumerate(lists)), 0.0
    with closing(LeasedLists(context)) as leased, closing(ConcurrentGroup(context)) as group:
        while True:
            while not group.is_full and leased.look() is None and (following := next(numbered, None)):
                leased.take(*following)
            while (unit := leased.look()) is not None and group.has_room(unit):
                leased.next()
                listener.started(unit)
                group.start(unit)
            if not group.running:
                return
            for record in group.turn():
                listener.finished(_finished(record))
                leased.release(record.trial_id)
            leased.ended()
            for line in group.notes():
                say(line)
            if time.monotonic() - ticked > _TICK_SECONDS:
                listener.tick()
                ticked = time.monotonic()


def _finished(record: TrialRecord) -> Finished:
    return Finished(
        trial_id=record.trial_id,
        status=record.status,
        seconds=record.seconds_total,
        values=validation_values(record),
    )
