"""Runs lists of trials in this process, one after another: for debugging and for machines without Ray."""

from collections.abc import Sequence

from study.events import Finished, Listener, LostList
from trainables.work import Workshop, WorkUnit, run_unit, validation_values


def run_inline(lists: Sequence[Sequence[WorkUnit]], workshop: Workshop, listener: Listener) -> list[LostList]:
    """Run every unit here. Nothing gets lost but with this process itself, so the result is empty."""
    for unit in (unit for units in lists for unit in units):
        listener.started(unit)
        record = run_unit(unit, workshop)
        listener.finished(
            Finished(
                trial_id=record.trial_id,
                status=record.status,
                seconds=record.seconds_total,
                values=validation_values(record),
            )
        )
    return []
