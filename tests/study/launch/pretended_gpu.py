"""Runs trials on a Ray that is told of one GPU: prints the resources of the worker and what each trial recorded.

With a second argument, a trial of this batch size ends its process in its first step.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from study.events import Finished, Listener
from study.launch.runners.ray_tune import RayTuneRunner
from tests.trainables.device.concurrent_trials import CONFIGS, unit
from trainables.ray_adapter import TrialWorker
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.work import LaunchContext, WorkUnit


class Noting(TrialWorker):
    """Writes down the resources of its process."""

    def setup(self, *words: Any, **named: Any) -> None:
        """Set up as usual."""
        import ray

        super().setup(*words, **named)
        given = ray.get_runtime_context().get_assigned_resources()
        (self._context.store.path / "resources.json").write_text(json.dumps(given))


class Dying(Noting):
    """Ends its process in the first step of a trial of the batch size in `dies_at`."""

    def setup(self, *words: Any, **named: Any) -> None:
        """Set up as usual."""
        from trainables.training.trainer import Trainer

        super().setup(*words, **named)
        advance = Trainer.advance
        batch_size = int((self._context.store.path / "dies_at").read_text())

        def advance_or_die(trainer: Trainer) -> None:
            if trainer._batch_size == batch_size:
                os._exit(1)
            advance(trainer)

        Trainer.advance = advance_or_die  # type: ignore[method-assign]


class Events(Listener):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.started_trials: list[str] = []
        self.finished_trials: list[str] = []

    def started(self, unit: WorkUnit) -> None:
        self.started_trials.append(unit.trial_id)

    def finished(self, event: Finished) -> None:
        self.finished_trials.append(event.trial_id)


def main(path: Path, dies_at: str = "") -> None:
    """Each trial is a list of its own: the worker takes lists while it has room."""
    import ray

    if dies_at:
        (path / "dies_at").write_text(dies_at)
    ray.init(address="local", num_cpus=2, num_gpus=1, include_dashboard=False, logging_level="ERROR")
    runner = RayTuneRunner(
        workers=1, cpus_per_trial=1, gpus_per_worker=1, trainable=Dying if dies_at else Noting
    )
    context = LaunchContext(store=RecordStore(path), runtime=Runtime(), at_once=2)
    events = Events()
    lists = [[(unit(config),)] for config in CONFIGS]
    lost = runner(lists, context, events)
    again = [] if dies_at else runner(lists, context, Events())  # nothing is left
    runner.shutdown()
    print(
        json.dumps(
            {
                "gpu": json.loads((path / "resources.json").read_text())["GPU"],
                "lost": [[unit.trial_id for unit in each.running] for each in (*lost, *again)],
                "started": events.started_trials,
                "finished": events.finished_trials,
                "leases": [file.name for file in (path / "leases").iterdir()],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
