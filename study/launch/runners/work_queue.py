"""The lists that wait for a worker: an actor of Ray's, on the node of the command, which asks nothing of it."""

from collections import deque
from typing import Any


class WorkQueue:
    """Hands out each list once. Ray calls it from one worker at a time."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Any]] = deque()
        self._taken: dict[int, int] = {}

    def put(self, lists: dict[int, Any]) -> None:
        """More lists by number, each as a reference that stays one."""
        self._waiting.extend(lists.items())

    def take(self, worker: int) -> tuple[int, Any] | None:
        """The next list with its number, None when there is none."""
        if not self._waiting:
            return None
        self._taken[worker], _ = self._waiting[0]
        return self._waiting.popleft()

    def taken_by(self, worker: int) -> int | None:
        """Number of the list that a worker took last."""
        return self._taken.get(worker)
