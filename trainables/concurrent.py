"""Trials that run on one GPU at the same time, in one process.

One thread runs all trials of a group in turns, a training step each. Every trial has its own network, generators,
captured graph and CUDA stream, so trials may differ in loss, seed, learning rate and batch size. On the pretended
device of the tests, each gives the numbers that it gives alone, to the bit. On a GPU this is not checked. There,
libraries may choose other kernels where memory is short or a measurement differs, which changes numbers by rounding.
All trials share one context and one copy of the data set.

The thread queues steps ahead of the device, and an evaluation gives way to the others within its long parts: after
each batch of an embedding, some steps of a probe, a step of a solve, or a block of neighbours. A solve goes on once
the device has done its last step. While the thread waits for the device in another part, such as a point of the
learning curves, it queues no steps. The device then runs only the queued steps of other trials, and may be idle
before that part ends.
"""

import dataclasses
import gc
import logging
import math
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from trainables.config import TrialConfig
from trainables.device_faults import DeviceLostError, is_out_of_gpu_memory, may_be_out_of_gpu_memory
from trainables.interrupts import signals_wait
from trainables.runtime import MOST_AT_ONCE
from trainables.store.schema import Status, TrialRecord
from trainables.trial import refuse_fault, set_up_torch
from trainables.trial_clock import SharedClock
from trainables.trial_memory import NeededMemory, free_unused_memory, measure_memory, usable_memory
from trainables.turns import Turn
from trainables.work import LaunchContext, WorkUnit, stack_turns

_log = logging.getLogger(__name__)

#: The most steps of a trial that are queued on the device: fewer than the steps between two looks at the losses, so
#: that a look never waits (see `trainables.training.pretrain`).
_MOST_QUEUED = 40

#: Seconds between two looks at the device if no trial needs a step now: less than a step takes.
_LOOK_SECONDS = 2e-4

#: Turns between two stages of an evaluation, unless the queues of the other trials are full before. A stage may wait
#: for the device, and the others then need queued steps.
_TURNS_A_STAGE = 50

_GIB = 2**30


@dataclass(kw_only=True)
class _Member:
    """A trial of the group, and where it is."""

    unit: WorkUnit
    turns: Iterator[Turn | TrialRecord]
    stream: Any  # None on a CPU
    steps: bool = True  # its next turn is a step, of its training or of a probe
    reads: bool = False  # its next turn reads what its last one has queued
    new: bool = True  # it has had no turn yet
    queued: deque[Any] = field(default_factory=deque)  # an event after each step that may not have run yet

    def is_ahead(self) -> bool:
        """Whether the device has work of this trial that must be done before its next turn, or enough of it."""
        while self.queued and self.queued[0].query():
            self.queued.popleft()
        return len(self.queued) >= (1 if self.reads else _MOST_QUEUED)

    def note_step(self) -> None:
        """Remember a step that was queued on the current stream."""
        if self.stream is not None:
            event = torch.cuda.Event()
            event.record()
            self.queued.append(event)


class ConcurrentGroup:
    """The trials that run at the same time. The caller starts trials while there is room, and calls `turn`.

    A trial that fails does not end the others. A trial that runs out of memory beside others is not recorded: the
    group becomes smaller, and the trial runs again.
    """

    def __init__(self, context: LaunchContext) -> None:
        self._context = context
        self._runtime = dataclasses.replace(context.runtime, concurrent=True)
        self._most = context.at_once or MOST_AT_ONCE
        self._members: list[_Member] = []
        self._again: list[WorkUnit] = []  # trials that ran out of memory beside others
        # Streams of trials that have ended. New trials use them, and the memory that the allocator keeps for them.
        self._streams: list[Any] = []
        self._memory = NeededMemory()
        self._too_large: set[str] = set()  # trials that do not fit beside those that run now
        self._is_limited = False  # by memory, which the notes have said
        self._turns = 0
        self._clock = SharedClock()
        self._notes: list[str] = []
        set_up_torch(self._runtime)
        self._end = ExitStack()
        # Trials set and restore this limit too, but not in the order of a stack. So their limit is restored to this.
        self._end.enter_context(threadpool_limits(context.runtime.threads))

    @property
    def running(self) -> list[WorkUnit]:
        """The trials that have started and have no record yet."""
        return [member.unit for member in self._members] + self._again

    @property
    def is_full(self) -> bool:
        """Whether as many trials run as allowed."""
        return len(self.running) >= self._most

    def notes(self) -> list[str]:
        """Lines for the user since the last call, such as that the group is smaller than the setting."""
        notes, self._notes = self._notes, []
        return notes

    def has_room(self, unit: WorkUnit) -> bool:
        """Whether the trial may start now: fewer trials run than allowed, and all of them fit in the memory."""
        if self._again:
            return False
        with _faults_of_the_device():
            return self._may_start(unit)

    def must_measure(self, unit: WorkUnit) -> bool:
        """Whether `has_room` runs a short training now, which measures memory."""
        if not self._on_gpu or not self._members or self._again or not self._is_open_to(unit):
            return False
        return self._memory.must_measure(self._configs_with(unit))

    def start(self, unit: WorkUnit) -> None:
        """Add a trial. Its first turn builds its network."""
        context = dataclasses.replace(self._context, runtime=self._runtime)
        turns = stack_turns((unit,), context, counts=self._counts)
        self._members.append(_Member(unit=unit, turns=turns, stream=self._stream()))
        self._clock.share(len(self._members))

    def turn(self) -> list[TrialRecord]:
        """Queue a step of every trial in training, or within a long part of an evaluation, that has few queued steps.

        Run another stage of one evaluation if no trial needs a step, and every 50 turns. Returns the records of
        trials that ended. They are written. Raises `DeviceLostError` if the GPU can no longer be used: CUDA reports
        some errors only when the thread waits for the device, of whichever trial they are.
        """
        with _faults_of_the_device():
            return self._turn()

    def _turn(self) -> list[TrialRecord]:
        while self._again and self._may_start(self._again[0]):
            self.start(self._again.pop(0))
        stepping = [member for member in self._members if member.steps]
        ready = [member for member in stepping if not member.is_ahead()]
        at_stages = [member for member in self._members if not member.steps]
        self._turns += 1
        due = at_stages[:1] if not ready or self._turns % _TURNS_A_STAGE == 0 else []
        if stepping and not (ready or due):
            while not (ready := [member for member in stepping if not member.is_ahead()]):
                time.sleep(_LOOK_SECONDS)
        with signals_wait():
            records = [self._advance(member) for member in ready if not member.new]
        # A first turn may take minutes, and nothing is lost with it.
        records += [self._advance(member) for member in (*(each for each in ready if each.new), *due)]
        return [record for record in records if record is not None]

    def close(self) -> None:
        """End the trials that run. Those in training save their state, and continue from it when they run again."""
        for member in self._members:
            try:
                with self._on(member):
                    member.turns.close()  # type: ignore[attr-defined]
            except Exception as error:  # such as a device that failed
                _log.warning("%s: its training was not saved (%s)", member.unit.title, error)
        self._members.clear()
        self._again.clear()
        self._end.close()

    def _advance(self, member: _Member) -> TrialRecord | None:
        with self._on(member):
            may_make_shared = member.new or not member.steps
            turn = next(member.turns)
            member.steps, member.reads = turn in (Turn.STEP, Turn.QUEUED), turn is Turn.QUEUED
            if member.steps:
                member.note_step()
            # The first step and the stages may make tensors that all trials use, such as the images. They must exist
            # before other streams use them.
            if member.stream is not None and (may_make_shared or not member.steps):
                member.stream.synchronize()
            member.new = False
        return self._ended(member, turn) if isinstance(turn, TrialRecord) else None

    def _ended(self, member: _Member, record: TrialRecord) -> TrialRecord | None:
        counts = self._counts(record)
        with self._on(member):
            for _ in member.turns:  # deletes the checkpoint
                pass
        self._members.remove(member)
        self._too_large.clear()
        self._clock.share(len(self._members))
        if member.stream is not None:
            self._streams.append(member.stream)
        gc.collect()  # reference cycles would keep their memory
        if counts:
            return record
        self._most = max(1, len(self._members))
        self._again.append(member.unit)
        self._notes.append(
            f"{member.unit.title}: ran out of GPU memory beside {len(self._members)} other trials; it runs again, "
            f"and from now on at most {self._most} run at the same time"
        )
        free_unused_memory()
        return None

    def _counts(self, record: TrialRecord) -> bool:
        """Whether the outcome is the trial's own: a lack of memory may come from the other trials."""
        is_lack = record.status == Status.OOM or may_be_out_of_gpu_memory(record.error_message or "")
        return not is_lack or len(self._members) == 1

    @contextmanager
    def _on(self, member: _Member) -> Iterator[None]:
        stream = nullcontext() if member.stream is None else torch.cuda.stream(member.stream)
        with self._clock.used(), stream:
            yield

    def _stream(self) -> Any:
        if not self._on_gpu:
            return None
        if self._streams:
            return self._streams.pop()
        try:
            return torch.cuda.Stream(self._runtime.device)
        except RuntimeError as error:  # the GPU cannot be used
            refuse_fault(error)
            raise

    @property
    def _on_gpu(self) -> bool:
        return self._runtime.device.startswith("cuda")

    def _may_start(self, unit: WorkUnit) -> bool:
        if not self._members:
            return True
        if not self._is_open_to(unit):
            return False
        fits = self._fits(unit)
        if not fits:
            self._too_large.add(unit.trial_id)
        return fits

    def _is_open_to(self, unit: WorkUnit) -> bool:
        """Whether the trial may run beside the others, if the memory allows it."""
        others = [member.unit for member in self._members]
        if len(others) >= self._most or any(each.suspect for each in (*others, unit)):
            return False
        return unit.trial_id not in self._too_large

    def _configs_with(self, unit: WorkUnit) -> list[TrialConfig]:
        return [each.config for each in (*(member.unit for member in self._members), unit)]

    def _fits(self, unit: WorkUnit) -> bool:
        if not self._on_gpu:
            return True
        needed = self._memory.of(self._configs_with(unit), self._measure)
        room = usable_memory(self._runtime.device)
        if needed > room and not self._is_limited:
            self._is_limited = True
            missing = (
                "" if math.isinf(needed) else f" ({needed / _GIB:.1f} GiB needed, {room / _GIB:.1f} there)"
            )
            self._notes.append(
                f"{len(self._members)} trials run at the same time on the GPU, not {self._most}: no memory for one "
                f"more{missing}"
            )
        return needed <= room

    def _measure(self, config: TrialConfig) -> int | None:
        """The bytes that a trial needs, by a short training while the others wait. None if it runs out of memory."""
        stream = self._stream()
        self._clock.pause()
        try:
            with torch.cuda.stream(stream):
                return measure_memory(config, self._runtime)
        except RuntimeError as error:
            if not is_out_of_gpu_memory(error):
                raise
            return None
        finally:
            self._streams.append(stream)
            free_unused_memory()
            self._clock.share(len(self._members))


@contextmanager
def _faults_of_the_device() -> Iterator[None]:
    """Raise `DeviceLostError` for an error of the block that has left CUDA unusable."""
    try:
        yield
    except DeviceLostError:
        raise
    except RuntimeError as error:
        refuse_fault(error)
        raise
