"""Runs lists of trials in this process, one after another: for debugging and for machines without Ray."""

from collections.abc import Sequence

from study.events import Finished, Listener, LostPack
from trainables.leased_work import claim
from trainables.work import Pack, Workshop, run_pack, validation_values


def run_inline(lists: Sequence[Sequence[Pack]], workshop: Workshop, listener: Listener) -> list[LostPack]:
    """Run what is free of every list. Nothing gets lost but with this process itself, so the result is empty."""
    for packs in lists:
        with claim(packs, workshop) as claimed:
            for pack in claimed.packs:
                _run(claimed.held(pack), workshop, listener)
                claimed.release([pack])
    return []


def _run(pack: Pack, workshop: Workshop, listener: Listener) -> None:
    listener.tick()
    for unit in pack:
        listener.started(unit)
    for record in run_pack(pack, workshop) if pack else ():
        listener.finished(
            Finished(
                trial_id=record.trial_id,
                status=record.status,
                seconds=record.seconds_total,
                values=validation_values(record),
            )
        )
