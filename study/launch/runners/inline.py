"""A runner that runs lists of trials in this process, one after another, for debugging and machines without Ray."""

from collections.abc import Sequence

from study.events import Finished, Listener, LostStack
from trainables.leased_work import lease_stacks
from trainables.work import LaunchContext, Stack, run_stack, validation_values


def run_inline(
    lists: Sequence[Sequence[Stack]], context: LaunchContext, listener: Listener
) -> list[LostStack]:
    """Run the trials of every list whose leases are free. Returns no lost stack, since there is no worker process."""
    for stacks in lists:
        with lease_stacks(stacks, context) as leased:
            for stack in leased.stacks:
                listener.tick()
                held = leased.held(stack)
                for unit in held:
                    listener.started(unit)
                for record in run_stack(held, context) if held else ():
                    listener.finished(
                        Finished(
                            trial_id=record.trial_id,
                            status=record.status,
                            seconds=record.seconds_total,
                            values=validation_values(record),
                        )
                    )
                leased.release([stack])
    return []
