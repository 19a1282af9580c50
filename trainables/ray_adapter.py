"""The thin Ray Tune side of trials: a worker that runs lists of stacks of trials, one stack a Tune iteration.

It takes one list after another from a work queue, so a launch pays once for the start of a process and the import of
torch.
What Tune is told is for progress alone: the records are in the store before it hears of them.
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
from trainables.own_code import append_to_path
from trainables.store.records import StoreError
from trainables.store.schema import TrialRecord
from trainables.work import LaunchContext, Stack, run_stack, validation_values

#: Short stacks are told of together: a result costs Tune some milliseconds.
_SECONDS_A_RESULT = 1.0

#: From one question for a list to the next, while there is none.
_IDLE_SECONDS = 0.05

#: A worker is ended after this many time limits and seconds.
_PATIENCE, _GRACE_SECONDS = 1.5, 10.0


class TrialWorker(tune.Trainable):
    """Runs lists of stacks of trials, each in its order, as long as Tune lets it."""

    def setup(
        self,
        config: dict[str, Any],
        work_queue: Any = None,
        context: LaunchContext | None = None,
        own_folders: Sequence[str] = (),
        directory: str | None = None,
    ) -> None:
        """Work in `directory`, if any, and search for modules in `own_folders` last."""
        assert context is not None
        append_to_path(own_folders)
        if directory is not None:
            os.chdir(directory)
        self._work_queue, self._context, self._worker = work_queue, context, config["worker"]
        self._pending: list[Stack] = []
        self._leases = ExitStack()

    def step(self) -> dict[str, Any]:
        """Take a list and lease its free trials; or run its next stack, or the next few where stacks are short.

        Says which trials run next, so that they are known when they kill this process. A store that refuses is
        told of and not raised: Tune would start another worker, which would meet the same.
        """
        try:
            return self._go_on() if self._pending else self._begin()
        except StoreError as error:
            self._pending = []
            return self._told([]) | {"refused": str(error)}
        except BaseException:
            self._leases.close()
            raise

    def _begin(self) -> dict[str, Any]:
        start = time.monotonic()
        while (taken := ray.get(self._work_queue.take.remote(self._worker))) is None:
            if time.monotonic() - start > _SECONDS_A_RESULT:
                return {"list": None, "finished": [], "next": [], "ended": False}
            time.sleep(_IDLE_SECONDS)
        self._number, [stacks] = taken
        self._leased = self._leases.enter_context(lease_stacks(ray.get(stacks), self._context))
        self._pending = list(self._leased.stacks)
        return self._told([])

    def _go_on(self) -> dict[str, Any]:
        finished: list[dict[str, Any]] = []
        stacks: list[Stack] = []
        start = time.monotonic()
        while self._pending and (not stacks or time.monotonic() - start < _SECONDS_A_RESULT):
            stacks.append(self._pending.pop(0))
            if held := self._leased.held(stacks[-1]):
                finished += self.run_next(held)
        self._leased.release(stacks)
        return self._told(finished)

    def _told(self, finished: list[dict[str, Any]]) -> dict[str, Any]:
        if not self._pending:
            self._leases.close()
        following = [unit.trial_id for unit in self._pending[0]] if self._pending else []
        return {"list": self._number, "finished": finished, "next": following, "ended": not self._pending}

    def run_next(self, stack: Stack) -> list[dict[str, Any]]:
        """Run a stack, and say of each of its trials what progress shows."""
        with _deadline(self._context.runtime.time_limit, len(stack)):
            return [_told(record) for record in run_stack(stack, self._context)]

    def cleanup(self) -> None:
        """Release the leases that are held, when a worker stops before the end of its list."""
        self._leases.close()

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
