"""Runs lists of trials in this process, one after another: for debugging and for machines without Ray."""

from collections.abc import Sequence

from study.events import Finished, Listener, LostList
from trainables.work import Pack, Workshop, run_pack, validation_values


def run_inline(lists: Sequence[Sequence[Pack]], workshop: Workshop, listener: Listener) -> list[LostList]:
    """Run every pack here. Nothing gets lost but with this process itself, so the result is empty."""
    for pack in (pack for packs in lists for pack in packs):
        for unit in pack:
            listener.started(unit)
        for record in run_pack(pack, workshop):
            listener.finished(
                Finished(
                    trial_id=record.trial_id,
                    status=record.status,
                    seconds=record.seconds_total,
                    values=validation_values(record),
                )
            )
    return []
