"""Measures the time of each stage of a training step: data, forward, loss, backward and optimiser update.

The stages are marked in separate training steps, so that marking does not slow the steps whose speed is reported.
"""

import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from study.bench.subject import Subject
from study.bench.timing import wait_for
from trainables.config import TrainingConfig
from trainables.training.batches import BatchOrder
from trainables.training.optimizer import StackedOptimizer
from trainables.training.step import TrainingStep
from trainables.training.trainer import build_step, network_of

#: The stages in the order in which they end. `data` collects the batch and makes its views. `loss` includes the value
#: of the loss and its gradient with respect to the network's output.
STAGES = ("data", "forward", "loss", "backward", "optimiser")

_START = "start"

_WARM_UP = 2

Mark = Callable[[str], None]


class StageClock:
    """Marks the ends of stages: on the CPU with the clock, on CUDA with events, which do not block."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._marks: list[tuple[str, Any]] = []

    def mark(self, stage: str) -> None:
        """Assign the time since the last mark to `stage`."""
        moment: Any = time.perf_counter()
        if self._device.type == "cuda":
            moment = torch.cuda.Event(enable_timing=True)
            moment.record()
        self._marks.append((stage, moment))

    def clear(self) -> None:
        """Delete all marks."""
        self._marks.clear()

    def seconds(self) -> dict[str, float]:
        """Seconds of every stage over all steps."""
        wait_for(self._device)
        total: dict[str, float] = defaultdict(float)
        for (_, before), (stage, after) in itertools.pairwise(self._marks):
            if stage != _START:  # the time between two steps is not counted
                total[stage] += self._between(before, after)
        return dict(total)

    def _between(self, before: Any, after: Any) -> float:
        return before.elapsed_time(after) / 1e3 if self._device.type == "cuda" else after - before


def stage_shares(subject: Subject, execution: str, steps: int) -> dict[str, float]:
    """The share of each of `STAGES` in the step's time, over `steps` steps.

    A step captured as a CUDA graph has no visible stages. For `graphed` execution these are the shares of the same
    step launched operation by operation.
    """
    clock = StageClock(subject.device)
    step = marked_step(subject, execution, clock.mark)
    orders = _orders(subject)
    factor = torch.tensor(0.01, device=subject.device)
    for done in range(_WARM_UP + steps):
        if done == _WARM_UP:
            clock.clear()
        clock.mark(_START)
        rows = torch.stack([order.next() for order in orders])
        step(subject.images[rows].to(subject.device), factor)
        clock.mark("optimiser")
    seconds = clock.seconds()
    return {stage: seconds[stage] / sum(seconds.values()) for stage in STAGES}


def marked_step(subject: Subject, execution: str, mark: Mark) -> TrainingStep:
    """The step of `Trainer`, with a mark at the end of each stage except the last."""
    return build_step(
        subject.members,
        network_of(subject.members),
        subject.views,
        subject.streams,
        subject.device,
        execution,
        wrap=partial(_MarkedNetwork, mark),
        optimizer=partial(_MarkedOptimizer, mark),
    )


def _orders(subject: Subject) -> list[BatchOrder]:
    images, size = subject.images, subject.members[0].config.batch_size
    return [
        BatchOrder(len(images), size, streams.order, images.device) for streams in subject.streams.values()
    ]


class _MarkedNetwork(nn.Module):
    """Marks the end of data and of forward, and the end of loss when its gradient arrives."""

    def __init__(self, mark: Mark, network: nn.Module) -> None:
        super().__init__()
        self.network, self.mark = network, mark

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.mark("data")
        h, z = self.network(x)
        self.mark("forward")
        z.register_hook(lambda _: self.mark("loss"))
        return h, z


class _MarkedOptimizer(StackedOptimizer):
    """Marks the end of the backward pass, because the step of the optimiser follows it."""

    def __init__(
        self,
        mark: Mark,
        parameters: Iterable[nn.Parameter],
        configs: Sequence[TrainingConfig],
        copies: Mapping[Tensor, nn.Parameter],
    ) -> None:
        super().__init__(parameters, configs, copies)
        self._mark = mark

    def step(self, factor: Tensor) -> None:
        self._mark("backward")
        super().step(factor)
