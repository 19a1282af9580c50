"""Time of trials that run at the same time on one GPU, in seconds of a trial and epoch."""

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import torch

from study.bench.timing import wait_for
from tests.benchmarks.gpu.rows import Row, Rows, why
from tests.benchmarks.gpu.settings import Settings
from trainables.concurrent import ConcurrentGroup
from trainables.training.trainer import Trainer

#: Execution modes, and how many trials run at once. The eager trial alone is what groups are compared with.
_CASES = {"eager": (1,), "fused": (1,), "graphed": (1, 2, 4, 8), "compiled_graphed": (1, 4, 8)}
_CASES_ON_A_CPU = {"eager": (1, 2)}

_EPOCH_IMAGES = 50_000

#: Batch size to the seconds that an epoch of a trial may take.
TARGETS = {256: 1.7, 32: 1.7}

#: Turns before the clock starts. The first one builds, compiles and captures.
_WARM_UP_TURNS = 10

_MANY_STEPS = 20_000


def of_batch_size(batch_size: int, settings: Settings) -> Rows:
    """A row for each mode and number of trials. More trials join the same group, so that nothing is built twice."""
    for execution, counts in (_CASES if settings.on_gpu else _CASES_ON_A_CPU).items():
        try:
            yield from _of_mode(settings, batch_size, execution, counts)
        except Exception as error:  # the other modes go on
            yield Row(what=f"batch {batch_size}, {execution}", value=f"failed: {why(error)}")


at_32, at_256 = partial(of_batch_size, 32), partial(of_batch_size, 256)


def _of_mode(settings: Settings, batch_size: int, execution: str, counts: Sequence[int]) -> Rows:
    gc.collect()  # what the mode before left must not count
    if settings.on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    with TemporaryDirectory() as folder, _steps() as done:
        group = ConcurrentGroup(settings.context(Path(folder), execution, max(counts)))
        try:
            for count in counts:
                yield from _of_count(settings, group, batch_size, execution, count, done)
        finally:
            group.close()


def _of_count(
    settings: Settings,
    group: ConcurrentGroup,
    batch_size: int,
    execution: str,
    count: int,
    done: list[int],
) -> Rows:
    started = time.perf_counter()
    for seed in range(len(group.running), count):
        group.start(settings.unit(settings.trial(batch_size, seed=seed, steps=_MANY_STEPS)))
    for _ in range(_WARM_UP_TURNS):
        _turn(group)
    wait_for(settings.torch_device)
    ready = time.perf_counter()
    steps_before, seconds = done[0], 0.2 if settings.quick else 2.5
    while time.perf_counter() - ready < seconds:
        _turn(group)
    wait_for(settings.torch_device)
    a_step = (time.perf_counter() - ready) / (done[0] - steps_before)
    what = f"batch {batch_size}, {execution}, {count} at once"
    about = {"batch_size": batch_size, "execution": execution, "at_once": count}
    yield Row(
        what=f"{what}: a trial and epoch",
        value=a_step * (_EPOCH_IMAGES // batch_size),
        unit="s",
        target=f"<= {TARGETS[batch_size]}" if settings.on_gpu and execution not in ("eager", "fused") else "",
        **about,  # type: ignore[arg-type]
    )
    yield Row(what=f"{what}: until the first steps had run", value=ready - started, unit="s")
    if settings.on_gpu:
        held = torch.cuda.max_memory_reserved() / 2**30
        yield Row(what=f"{what}: largest memory of the allocator", value=held, unit="GiB")


def _turn(group: ConcurrentGroup) -> None:
    for record in group.turn():
        raise RuntimeError(f"a trial ended: {record.status}: {record.error_message}")


@contextmanager
def _steps() -> Iterator[list[int]]:
    """The number of steps that trainers have queued, as the only item of a list."""
    advance, done = Trainer.advance, [0]

    def counted(trainer: Trainer) -> None:
        advance(trainer)
        done[0] += 1

    with mock.patch.object(Trainer, "advance", counted):
        yield done
