"""Three small trials and a large one on a Ray that is told of a GPU: prints what each was given, and when."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from study.events import Listener
from study.launch.runners.ray_tune import RayTuneRunner
from trainables.ray_adapter import TrialWorker
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.work import LaunchContext, Stack

_SECONDS = 4.0


class Noting(TrialWorker):
    """Writes down the resources that its process was given, and sleeps."""

    def run_next(self, stack: Stack) -> list[dict[str, Any]]:
        """Note, and claim success."""
        import ray

        given, began = ray.get_runtime_context().get_assigned_resources(), time.time()
        time.sleep(_SECONDS)
        note = {"title": stack[0].trial_id, "gpu": given.get("GPU", 0), "began": began, "ended": time.time()}
        (self._context.store.path / f"{stack[0].trial_id}.json").write_text(json.dumps(note))
        return [{"trial_id": unit.trial_id, "status": "ok", "seconds": 0.0, "values": {}} for unit in stack]


def main(store: Path) -> None:
    """Run them and print the notes."""
    import ray

    from tests.study.cost.gpu_stacks import by_size, stack

    ray.init(address="local", num_cpus=4, num_gpus=1, include_dashboard=False, logging_level="ERROR")
    runner = RayTuneRunner(workers=4, cpus_per_trial=1, gpus_per_trial=by_size, trainable=Noting)
    lists = [[stack(64, 0)], [stack(64, 1)], [stack(256, 0)], [stack(64, 2)]]
    lost = runner(lists, LaunchContext(store=RecordStore(store), runtime=Runtime()), Listener())
    runner.shutdown()
    assert not lost
    print(json.dumps([json.loads(path.read_text()) for path in store.glob("*.json")]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
