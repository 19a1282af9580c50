"""The queue from which the workers of a launch take their lists: an actor of Ray.

It has a module of its own: its process starts before the workers, and would otherwise import Ray Tune, which it does
not need.
"""

from collections import defaultdict, deque
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


class WorkQueue:
    """The lists that wait for a worker. Each is handed out once, since a Ray actor runs one call at a time."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Any]] = deque()
        self._taken: dict[int, list[int]] = defaultdict(list)

    def put(self, lists: dict[int, Any]) -> None:
        """Add lists by number. Each is a Ray reference, which the queue does not resolve."""
        self._waiting.extend(lists.items())

    def take(self, worker: int) -> tuple[int, Any] | None:
        """Remove and return the next list with its number; None if there is none."""
        if not self._waiting:
            return None
        self._taken[worker].append(self._waiting[0][0])
        return self._waiting.popleft()

    def taken_by(self, worker: int) -> list[int]:
        """The numbers of all lists taken by the worker with this number, also by its processes that died."""
        return self._taken[worker]


def start_work_queue() -> Any:
    """Start a work queue on this node. It exists as long as the command runs."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(WorkQueue).options(num_cpus=0, scheduling_strategy=here).remote()
