"""Training of K sphere trials of equal shapes as one: gradient descent on raw vectors, normalised before the loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.config import SphereTask, TrialConfig
from trainables.losses import build_loss
from trainables.sphere.batches import StackedBatches, stacked_batches
from trainables.sphere.budget import step_count
from trainables.sphere.curves import GapCurves
from trainables.streams import Stream, stream_generator
from trainables.training.member import Report
from trainables.training.schedule import learning_rate_factor
from trainables.training.step import LossGroup, group_losses


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The result of training K trials."""

    z: Tensor  # (K, 2, N, d), unit-norm, of both views
    first: Tensor  # (K,) loss of the first step
    last: Tensor  # (K,) mean loss of the last tenth of the steps
    steps_planned: int
    steps_done: Tensor  # (K,) number of steps with finite losses
    samples_selection: int  # pairs that each trial embedded to choose its batches
    seconds_selection: float  # for all trials together


def initial_embeddings(task: SphereTask, seed: int) -> Tensor:
    """Unit-norm rows `(2, N, d)` in float64, uniform on the sphere. They depend only on the task and the seed."""
    generator = stream_generator(seed, Stream.INITIALISATION)
    z = torch.randn(2, task.n_pairs, task.dim, dtype=torch.float64, generator=generator)
    if task.init == "aligned":
        z[1] = z[0]
    return F.normalize(z, dim=-1)


def train(
    configs: Sequence[TrialConfig], device: str, report: Report, curves: GapCurves | None = None
) -> Trained:
    """Train trials that differ in seed, learning rate and loss. The result of a trial does not depend on its stack.

    A trial whose loss is not finite stays in the stack and does not affect the others. `curves` receives the points
    of the gap curves.
    """
    training = _Training(configs, device)
    while training.done < training.total and bool(training.finite.any()):
        training.advance()
        if curves and training.done in curves.due:
            training.measure(curves)
        report({"step": training.done, "steps": training.total, "loss": float(training.values.nanmean())})
    return training.result()


class _Training:
    def __init__(self, configs: Sequence[TrialConfig], device: str) -> None:
        task: SphereTask = configs[0].task
        self._momentum, self._schedule = task.training.momentum, task.training.lr_schedule
        self.total, self.done = step_count(task), 0
        z = torch.stack([initial_embeddings(each.task, each.seed) for each in configs])
        self._z = z.to(device)  # raw vectors (K, 2, N, d)
        self._velocity = torch.zeros_like(self._z) if self._momentum else None
        views = torch.arange(2 * len(configs), device=device)
        self._first_rows = (views * task.n_pairs).view(-1, 2, 1)  # each view's first row among all of z
        rates = [each.task.training.lr for each in configs]
        self._rates = torch.tensor(rates, dtype=z.dtype, device=device).view(-1, 1, 1, 1)
        losses = [build_loss(each.loss.name, **each.loss.params) for each in configs]
        self._losses: list[LossGroup] = group_losses(losses, device)
        self._batches: StackedBatches = stacked_batches(task, [each.seed for each in configs], losses)
        self.values = self._first = torch.zeros(len(configs), dtype=z.dtype, device=device)
        self._tail = torch.zeros_like(self.values)
        self.finite = torch.ones_like(self.values, dtype=torch.bool)
        self._steps_done = torch.zeros_like(self.values, dtype=torch.int64)

    def advance(self) -> None:
        """One step of every trial."""
        pairs = self._batches.next(self._unit_norm).to(self._z.device)
        rows = (self._first_rows + pairs[:, None]).flatten()
        batch = self._z.flatten(0, 2)[rows].requires_grad_()  # (K 2 B, d)
        z_a, z_b = F.normalize(batch, dim=-1).view(len(pairs), 2, pairs.shape[1], -1).unbind(1)
        values = torch.cat([loss(z_a[members], z_b[members]) for members, loss in self._losses])
        (gradient,) = torch.autograd.grad(values.sum(), batch)
        self._move(rows, gradient)
        self._note(values.detach())

    def measure(self, curves: GapCurves) -> None:
        """Add a point to the curves."""
        curves.add(self.done, self._unit_norm(), self.finite, self._batches.samples)

    def _move(self, rows: Tensor, gradient: Tensor) -> None:
        """Update the embeddings in place, since large temporary tensors cost more than the sums.

        Without momentum, only the rows of the batch change.
        """
        rates = self._rates
        if self._schedule == "cosine":
            rates = rates * learning_rate_factor(self.done, self.total)
        if self._velocity is None:
            of_members = gradient.unflatten(0, (len(rates), 2, -1))
            self._z.flatten(0, 2).index_add_(0, rows, of_members.mul_(-rates).flatten(0, 2))
        else:
            self._velocity.mul_(self._momentum).flatten(0, 2).index_add_(0, rows, gradient)
            self._z.addcmul_(self._velocity, rates, value=-1.0)

    def _note(self, values: Tensor) -> None:
        self.values = values
        if self.done == 0:
            self._first = self.values
        if self.done >= self.total - self._tail_steps:
            self._tail += self.values
        self.done += 1
        self.finite &= self.values.isfinite()
        self._steps_done += self.finite

    @property
    def _tail_steps(self) -> int:
        return max(1, self.total // 10)

    def _unit_norm(self) -> Tensor:
        return F.normalize(self._z, dim=-1)

    def result(self) -> Trained:
        return Trained(
            z=self._unit_norm().cpu(),
            first=self._first.cpu(),
            last=(self._tail / self._tail_steps).cpu(),
            steps_planned=self.total,
            steps_done=self._steps_done.cpu(),
            samples_selection=self._batches.samples,
            seconds_selection=self._batches.seconds,
        )
