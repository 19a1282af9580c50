"""The message about a dead worker names its cause."""

import pytest
from ray.exceptions import ActorDiedError, OutOfMemoryError, RayTaskError

from study.launch.runners.work_queue import WorkQueue
from study.launch.runners.worker_pool import describe_death


class _Died(ActorDiedError):
    def __init__(self, said: str) -> None:
        super().__init__()
        self.error_msg = said


@pytest.mark.parametrize(
    ("error", "name", "words"),
    [
        (None, "WorkerKilledError", "killed from outside"),
        (_Died("Worker exit type: SYSTEM_ERROR ... by the OOM killer ..."), "WorkerKilledError", "killed"),
        (_Died("The actor died because its node has died. Node Id: 1f"), "NodeLostError", "node"),
        (_Died("Worker killed. Task was killed due to the node running low on memory."), "OutOfMemoryError", ""),
        (OutOfMemoryError("Task was killed due to the node running low on memory.\nMemory:"), "OutOfMemoryError", ""),
        (RayTaskError("step", "trace", ValueError("no such loss\nat all")), "ValueError", "no such loss"),
        (RuntimeError(""), "RuntimeError", "the worker died"),
    ],
)  # fmt: skip
def test_a_name_and_a_line(error: BaseException | None, name: str, words: str) -> None:
    said = describe_death(error)
    assert said[0] == name
    assert words in said[1]
    assert said[1]
    assert "\n" not in said[1]


def test_a_feed_hands_out_each_list_once() -> None:
    work_queue = WorkQueue()
    assert work_queue.take(0) is None
    work_queue.put({0: "a", 1: "b"})
    assert (work_queue.take(1), work_queue.take(0), work_queue.take(1)) == ((0, "a"), (1, "b"), None)
    assert (work_queue.taken_by(0), work_queue.taken_by(1), work_queue.taken_by(2)) == ([1], [0], [])
