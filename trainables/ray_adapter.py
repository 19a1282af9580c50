"""The worker of Ray Tune: it runs lists of stacks of trials, or on a GPU several trials at the same time.

The worker takes one list after another from a work queue, so a launch starts a process and imports torch only once
per worker. Its results to Tune only show progress: the records are in the store before Tune receives a result.
"""

import faulthandler
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import ray
from ray import tune

from trainables.leased_work import LeasedLists, lease_stacks
from trainables.machine_faults import hits_all_trials
from trainables.own_code import append_to_path
from trainables.store.records import StoreError
from trainables.store.schema import TrialRecord
from trainables.work import LaunchContext, Stack, run_stack, validation_values

if TYPE_CHECKING:
    from trainables.concurrent import ConcurrentGroup

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
        self._number = -1  # of the list that it took last
        self._leases = ExitStack()
        self._group = None
        self._measured: Stack = ()  # the trial whose memory is measured after the next result
        if context.concurrent:
            from trainables.concurrent import ConcurrentGroup  # imports torch

            self._lists = self._leases.enter_context(closing(LeasedLists(context)))
            self._group = self._leases.enter_context(closing(ConcurrentGroup(context)))

    def step(self) -> dict[str, Any]:
        """Take a list and lease its free trials; or, if there is a list, run its next stack or its next short stacks.

        A worker that runs several trials at the same time starts trials while it has room, or runs them for a second.
        The result contains the ids of the trials that run next, so that they are known if they kill this process. A
        store that cannot be used is a result and not an exception: after an exception, Tune would start another
        worker, which would fail in the same way.
        """
        try:
            if self._group is not None:
                return self._run_group(self._group)
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
            self._leases.close()
            return _result() | {"refused": str(error)}
        except BaseException as error:
            self._leases.close()
            if hits_all_trials(error):
                self._pending = []
                return _result() | {"refused": f"a worker cannot continue: {error}"}
            raise

    def run_next(self, stack: Stack) -> list[dict[str, Any]]:
        """Run a stack, and return the facts for the progress display for each of its trials."""
        with _deadline(self._context.runtime.time_limit, len(stack)):
            return [_facts(record) for record in run_stack(stack, self._context)]

    def _take_list(self) -> dict[str, Any]:
        start = time.monotonic()
        while (taken := ray.get(self._work_queue.take.remote(self._worker))) is None:
            if time.monotonic() - start > _SECONDS_A_RESULT:
                return _result(waits=True)
            time.sleep(_IDLE_SECONDS)
        self._number, [stacks] = taken
        self._leased = self._leases.enter_context(lease_stacks(ray.get(stacks), self._context))
        self._pending = list(self._leased.stacks)
        return self._result([])

    def _result(self, finished: list[dict[str, Any]]) -> dict[str, Any]:
        if self._pending:
            return _result(finished, running=[unit.trial_id for unit in self._pending[0]])
        self._leases.close()
        return _result(finished, ended=[self._number])

    def _run_group(self, group: "ConcurrentGroup") -> dict[str, Any]:
        start = time.monotonic()
        finished: list[dict[str, Any]] = []
        # Trials that no result has named must not run: nothing would be known of them if they ended this process.
        if not self._fill(group):
            with _deadline(self._context.runtime.time_limit, len(group.running)):
                while group.running and not finished and time.monotonic() - start < _SECONDS_A_RESULT:
                    for record in group.turn():
                        finished.append(_facts(record))
                        self._lists.release(record.trial_id)
            self._fill(group)
        ended = self._lists.ended()
        waits = not (group.running or finished or ended)
        if waits:
            time.sleep(_IDLE_SECONDS)
        return _result(
            finished,
            running=[unit.trial_id for unit in (*group.running, *self._measured)],
            ended=ended,
            notes=group.notes(),
            waits=waits,
        )

    def _fill(self, group: "ConcurrentGroup") -> bool:
        """Start trials while the group has room and the queue has lists.

        Returns whether a trial started, or will be measured: it then runs after the next result.
        """
        named, self._measured = self._measured, ()
        started = False
        while not group.is_full:
            if (unit := self._lists.look()) is not None:
                if group.must_measure(unit) and unit not in named:
                    self._measured = (unit,)
                    return True
                with _deadline(self._context.runtime.time_limit, len(group.running) + 1):
                    has_room = group.has_room(unit)
                if not has_room:
                    return started
                self._lists.next()
                group.start(unit)
                started = True
            elif (taken := ray.get(self._work_queue.take.remote(self._worker))) is not None:
                number, [stacks] = taken
                self._lists.take(number, ray.get(stacks))
            else:
                return started
        return started

    def cleanup(self) -> None:
        """Release the leases that are still held if the worker stops before the end of its list.

        Trials that run at the same time save their state.
        """
        self._leases.close()

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save nothing, since finished trials have their records in the store."""


def _result(
    finished: Sequence[dict[str, Any]] = (),
    *,
    running: Sequence[str] = (),
    ended: Sequence[int] = (),
    notes: Sequence[str] = (),
    waits: bool = False,
) -> dict[str, Any]:
    """The result of a step: finished trials, ids of those that run next, numbers of lists that ended, and notes.

    `waits`: the worker has nothing to do, and waits for a list.
    """
    return {
        "finished": list(finished),
        "running": list(running),
        "ended": list(ended),
        "notes": list(notes),
        "waits": waits,
    }


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
