"""The worker of Ray Tune: it runs lists of stacks of trials, one or more stacks in each Tune iteration.

The worker takes one list after another from a work queue, so a launch starts a process and imports torch only once
per worker. Its results to Tune only show progress: the records are in the store before Tune receives a result.
"""

import faulthandler
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import ray
from ray import tune

from trainables.leased_work import lease_stacks
from trainables.machine_faults import hits_all_trials
from trainables.own_code import append_to_path
from trainables.store.records import StoreError
from trainables.store.schema import TrialRecord
from trainables.work import LaunchContext, Stack, run_stack, validation_values

#: Short stacks share a result of about this length, since each result costs Tune some milliseconds.
_SECONDS_A_RESULT = 1.0

#: Seconds between two requests for a list, as long as the queue is empty.
_IDLE_SECONDS = 0.05

#: A worker ends itself after `_PATIENCE` times the time limit of its trials plus `_GRACE_SECONDS`.
_PATIENCE, _GRACE_SECONDS = 1.5, 10.0


class TrialWorker(tune.Trainable):
    """Runs lists of stacks of trials, each list in its order, until Tune ends the worker."""

    def setup(
        self,
        config: dict[str, Any],
        work_queue: Any = None,
        context: LaunchContext | None = None,
        own_folders: Sequence[str] = (),
        directory: str | None = None,
    ) -> None:
        """Change to `directory`, if given, and append `own_folders` to the Python path."""
        assert context is not None
        append_to_path(own_folders)
        if directory is not None:
            os.chdir(directory)
        self._work_queue, self._context, self._worker = work_queue, context, config["worker"]
        self._pending: list[Stack] = []
        self._number: int | None = None  # of the list that it took last
        self._leases = ExitStack()

    def step(self) -> dict[str, Any]:
        """Take a list and lease its free trials; or, if there is a list, run its next stack or its next short stacks.

        The result contains the ids of the trials that run next, so that they are known if they kill this process. A
        store that cannot be used is a result and not an exception: after an exception, Tune would start another
        worker, which would fail in the same way.
        """
        try:
            if not self._pending:
                return self._take_list()
            finished: list[dict[str, Any]] = []
            stacks: list[Stack] = []
            start = time.monotonic()
            while self._pending and (not stacks or time.monotonic() - start < _SECONDS_A_RESULT):
                stacks.append(self._pending.pop(0))
                if held := self._leased.held(stacks[-1]):
                    finished += self.run_next(held)
            self._leased.release(stacks)
            return self._result(finished)
        except StoreError as error:
            self._pending = []
            return self._result([]) | {"refused": str(error)}
        except BaseException as error:
            self._leases.close()
            if hits_all_trials(error):
                self._pending = []
                return self._result([]) | {"refused": f"a worker cannot continue: {error}"}
            raise

    def run_next(self, stack: Stack) -> list[dict[str, Any]]:
        """Run a stack, and return the facts for the progress display for each of its trials."""
        with _deadline(self._context.runtime.time_limit, len(stack)):
            return [_facts(record) for record in run_stack(stack, self._context)]

    def _take_list(self) -> dict[str, Any]:
        start = time.monotonic()
        while (taken := ray.get(self._work_queue.take.remote(self._worker))) is None:
            if time.monotonic() - start > _SECONDS_A_RESULT:
                return {"list": None, "finished": [], "next": [], "ended": False}
            time.sleep(_IDLE_SECONDS)
        self._number, [stacks] = taken
        self._leased = self._leases.enter_context(lease_stacks(ray.get(stacks), self._context))
        self._pending = list(self._leased.stacks)
        return self._result([])

    def _result(self, finished: list[dict[str, Any]]) -> dict[str, Any]:
        if not self._pending:
            self._leases.close()
        following = [unit.trial_id for unit in self._pending[0]] if self._pending else []
        return {"list": self._number, "finished": finished, "next": following, "ended": not self._pending}

    def cleanup(self) -> None:
        """Release the leases that are still held if the worker stops before the end of its list."""
        self._leases.close()

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save nothing, since finished trials have their records in the store."""


@contextmanager
def _deadline(limit: float | None, trials: int) -> Iterator[None]:
    """End this process if its trials hang. Training ends itself at its time limit, so this limit is longer.

    The watchdog is a thread in C, so it also ends a process whose interpreter never runs another thread.
    """
    if limit is not None:
        faulthandler.dump_traceback_later(limit * trials * _PATIENCE + _GRACE_SECONDS, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _facts(record: TrialRecord) -> dict[str, Any]:
    """The facts about a finished trial for the progress display."""
    return {
        "trial_id": record.trial_id,
        "status": str(record.status),
        "seconds": record.seconds_total,
        "values": validation_values(record),
    }
