"""The thin Ray Tune side of a trial: an actor that runs a list of packs of trials, one a Tune iteration.

A list pays the start of a process and torch's import once, and a reused actor pays them once a launch. What Tune
is told is for progress alone: the records are in the store before it hears of them.
"""

import faulthandler
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray import tune

from trainables.schema import TrialRecord
from trainables.work import Pack, Workshop, run_pack, validation_values

#: Short packs are told of together: a result costs Tune some milliseconds.
_SECONDS_A_RESULT = 1.0

#: A worker is ended after this many time limits and seconds.
_PATIENCE, _GRACE_SECONDS = 1.5, 10.0


class TrialList(tune.Trainable):
    """Runs `config["lists"][config["index"]]`, packs of trials, in their order."""

    def setup(
        self,
        config: dict[str, Any],
        lists: list[list[Pack]] | None = None,
        workshop: Workshop | None = None,
    ) -> None:
        assert lists is not None
        assert workshop is not None
        self._lists, self._workshop = lists, workshop
        self._start(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next list in the same process."""
        self._start(new_config)
        return True

    def _start(self, config: dict[str, Any]) -> None:
        self._pending = list(self._lists[config["index"]])

    def step(self) -> dict[str, Any]:
        """Run the next pack of the list, or the next few where packs take less than a result costs."""
        finished: list[dict[str, Any]] = []
        packs, start = 0, time.monotonic()
        while self._pending and (not packs or time.monotonic() - start < _SECONDS_A_RESULT):
            finished += self.run_next(self._pending.pop(0))
            packs += 1
        return {"finished": finished, "packs": packs, "done": not self._pending}

    def run_next(self, pack: Pack) -> list[dict[str, Any]]:
        """Run a pack, and say of each of its trials what progress shows."""
        with _deadline(self._workshop.runtime.time_limit, len(pack)):
            return [_told(record) for record in run_pack(pack, self._workshop)]

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing to keep: what is finished is in the store."""


@contextmanager
def _deadline(limit: float | None, trials: int) -> Iterator[None]:
    """End this process when trials hang: training ends itself at its limit, so this comes with a delay.

    The watchdog is a thread in C, which needs no turn of an interpreter that may never give one.
    """
    if limit is not None:
        faulthandler.dump_traceback_later(limit * trials * _PATIENCE + _GRACE_SECONDS, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _told(record: TrialRecord) -> dict[str, Any]:
    """What progress shows of a finished trial."""
    return {
        "trial_id": record.trial_id,
        "status": str(record.status),
        "seconds": record.seconds_total,
        "values": validation_values(record),
    }
