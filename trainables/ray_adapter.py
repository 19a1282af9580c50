"""The thin Ray Tune side of a trial: an actor that runs a list of packs of trials, one a Tune iteration.

A list pays the start of a process and torch's import once, and a reused actor pays them once a launch. What Tune
is told is for progress alone: the records are in the store before it hears of them.
"""

from typing import Any

from ray import tune

from trainables.schema import TrialRecord
from trainables.work import Pack, Workshop, run_pack, validation_values


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
        """Run the next pack of the list."""
        records = run_pack(self._pending.pop(0), self._workshop)
        return {"finished": [_told(record) for record in records], "done": not self._pending}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing to keep: what is finished is in the store."""


def _told(record: TrialRecord) -> dict[str, Any]:
    """What progress shows of a finished trial."""
    return {
        "trial_id": record.trial_id,
        "status": str(record.status),
        "seconds": record.seconds_total,
        "values": validation_values(record),
    }
