"""Puts trials together that are trained as one network: equal but for seed, learning rate and numbers of the loss."""

import dataclasses
import itertools
import math
from collections import defaultdict
from collections.abc import Sequence

from trainables.config import DiagnosticTask, ImagesTask, SphereTask, Task, TrialConfig, canonical_json
from trainables.selection.kinds import LOOKING_METHODS
from trainables.work import Stack, WorkUnit

#: Encoders whose steps on a CPU are so small that dispatch costs as much as arithmetic.
_SMALL_ENCODERS = frozenset({"small_conv"})

#: More members gain nothing (measured: `python -m tests.benchmarks.bench_stacking`).
_LARGEST_STACK = 16

#: Pairs a step of all members together, for images of up to 16x16 pixels; beyond, caches overflow and stacks lose.
_PAIRS_A_STEP = 512
_PIXELS = 16 * 16

#: Sphere trials, and numbers in their embeddings: beyond, a step costs more a trial (measured:
#: `python -m tests.benchmarks.bench_sphere`).
_LARGEST_SPHERE_STACK = 256
_SPHERE_NUMBERS = 2**20


def form_stacks(units: Sequence[WorkUnit], workers: int, *, pixels: int, stacked: bool) -> list[Stack]:
    """Every unit in one stack; stacks of a kind are even, and there are as many as workers where units suffice.

    A stack holds one loss: losses with the same trials, the null control above all, are then rounded alike.
    """
    kinds: dict[tuple[str, ...], list[WorkUnit]] = defaultdict(list)
    for unit in units:
        together = stacked and not unit.alone and stack_limit(unit.config.task, pixels) > 1
        kinds[(unit.config.loss.name, stack_key(unit.config)) if together else (unit.trial_id,)].append(unit)
    most = math.ceil(len(units) / workers)
    return [stack for members in kinds.values() for stack in _cut(members, most, pixels)]


def stack_key(config: TrialConfig) -> str:
    """Equal for trials that can be trained as one network."""
    training = dataclasses.replace(config.task.training, lr=1.0)
    return canonical_json(dataclasses.replace(config.task, training=training))


def stack_limit(task: Task, pixels: int) -> int:
    """The most trials of a task that are worth training as one on a CPU: 1 where stacking does not pay."""
    if isinstance(task, SphereTask):
        return max(1, min(_LARGEST_SPHERE_STACK, _SPHERE_NUMBERS // (2 * task.n_pairs * task.dim)))
    return 1 if isinstance(task, DiagnosticTask) else _network_limit(task, pixels)


def _network_limit(task: ImagesTask, pixels: int) -> int:
    """Trials whose batches depend on their own network train alone."""
    if task.encoder.name not in _SMALL_ENCODERS or task.selection.method in LOOKING_METHODS:
        return 1
    pairs = _PAIRS_A_STEP * _PIXELS // max(_PIXELS, pixels)
    return max(1, min(_LARGEST_STACK, pairs // task.training.batch_size))


def _cut(members: list[WorkUnit], most: int, pixels: int) -> list[Stack]:
    count = math.ceil(len(members) / min(most, stack_limit(members[0].config.task, pixels)))
    bounds = [round(len(members) * index / count) for index in range(count + 1)]
    return [tuple(members[start:end]) for start, end in itertools.pairwise(bounds)]
