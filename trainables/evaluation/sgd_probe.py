"""Linear probes trained by stochastic gradients on the frozen encoder's output. The last iterate is used.

`fit_sgd` follows the evaluation of simclr-pytorch, the code base that the authors' follow-up paper names: SGD with
momentum 0.9, a base learning rate of 0.1 that falls linearly to zero, weight decay 1e-4 on weights and biases,
batches of 1,024 (the last batch of an epoch may be smaller), initial weights of zero, features without
standardisation, 200 epochs. Its budget is given in epochs, as in the papers, and not in steps.

`fit_adam` follows the evaluation of dkobak/simclr-cifar10: Adam with a rate of 0.01 on a cosine schedule that is
stepped after each epoch, weight decay 5e-6 in the gradient, batches of 1,000, 500 epochs. Its initial weights are
zero too; those of the original are random.

Both use the features of the plain images, or draw new crops and flips in every epoch, as both originals can.

On CUDA, launching the operators takes most of the time of a step. A step of `fit_sgd` therefore needs 7 operators
there, where the form for a CPU needs 14. The two forms differ by rounding.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.copies import copy_ahead
from trainables.evaluation.features import Labelled
from trainables.evaluation.linear_classifier import LinearClassifier
from trainables.training.schedule import learning_rate_factor
from trainables.turns import Turn, Turns

MOMENTUM = 0.9

#: Adam's decay rates and epsilon, the defaults of torch.
_BETAS, _EPSILON = (0.9, 0.999), 1e-8

#: Steps between two pauses: on a GPU about as many operators as a step of a training has.
_STEPS_A_TURN = 50

#: Draws the features `(n, d)` of the training rows for the next epoch.
Epoch = Callable[[], Turns[Tensor]]


def fit_sgd(
    train: Labelled,
    *,
    epochs: int,
    lr: float,
    weight_decay: float,
    batch_size: int,
    schedule: str,
    order: torch.Generator,
    augmented: Epoch | None = None,
) -> Turns[LinearClassifier]:
    """Train for `epochs` passes over the training rows, in float32 on their device, and return the classifier.

    The rate falls after each step by the `schedule`: "linear" or "cosine" to zero, or "constant". With `augmented`,
    every epoch has its own features. The generator `order` is on the CPU, so batches are the same on every device.
    """
    steps = epochs * -(-len(train.labels) // batch_size)
    return _fit(
        train,
        _Momentum,
        rate=lambda step, epoch: lr * learning_rate_factor(step / steps, 1, shape=schedule),
        epochs=epochs,
        weight_decay=weight_decay,
        batch_size=batch_size,
        order=order,
        augmented=augmented,
    )


def fit_adam(
    train: Labelled,
    *,
    epochs: int,
    lr: float,
    weight_decay: float,
    batch_size: int,
    schedule: str,
    order: torch.Generator,
    augmented: Epoch | None = None,
) -> Turns[LinearClassifier]:
    """Like `fit_sgd` but by Adam (Kingma and Ba 2015, algorithm 1), with a rate that falls after each epoch.

    Weight decay is added to the gradient, as in `torch.optim.Adam`.
    """
    return _fit(
        train,
        _Adam,
        rate=lambda step, epoch: lr * learning_rate_factor(epoch / epochs, 1, shape=schedule),
        epochs=epochs,
        weight_decay=weight_decay,
        batch_size=batch_size,
        order=order,
        augmented=augmented,
    )


@torch.no_grad()
def _fit(
    train: Labelled,
    method: "type[_Momentum | _Adam]",
    *,
    rate: Callable[[int, int], float],
    epochs: int,
    weight_decay: float,
    batch_size: int,
    order: torch.Generator,
    augmented: Epoch | None,
) -> Turns[LinearClassifier]:
    """Train with a method and its rate at a step and epoch, both counted from 0."""
    device = train.features.device
    classes, targets = train.labels.unique(return_inverse=True)
    rows = (_AcceleratorRows if train.features.is_cuda else _CpuRows)(train.features, targets, len(classes))
    # The last column holds the biases.
    weights = torch.zeros(len(classes), train.features.shape[1] + 1, device=device)
    own, step = method(weights), 0
    for epoch in range(epochs):
        if augmented:
            rows.replace((yield from augmented()))
        shuffled = torch.randperm(len(targets), generator=order)
        for chosen in copy_ahead(shuffled, device).split(batch_size):
            own.step(rows, chosen, weights, weight_decay=weight_decay, rate=rate(step, epoch))
            step += 1
            if step % _STEPS_A_TURN == 0:
                yield Turn.STEP
    yield Turn.STAGE  # the accuracy waits for the last steps
    return LinearClassifier(weights=weights[:, :-1], biases=weights[:, -1], classes=classes)


class _CpuRows:
    """The training rows, and the gradient of a batch of them."""

    def __init__(self, features: Tensor, targets: Tensor, classes: int) -> None:
        self.targets = targets
        self.replace(features)

    def replace(self, features: Tensor) -> None:
        """Take other features `(n, d)` of the same rows."""
        self.inputs = F.pad(features.float(), (0, 1), value=1.0)

    def add_gradient(
        self, chosen: Tensor, weights: Tensor, total: Tensor, *, kept: float, weight_decay: float
    ) -> None:
        """Replace `total` by `kept` times `total` plus the gradient of the batch of the rows `chosen`.

        It is the gradient `(C, d + 1)` of their mean cross-entropy, with weight decay.
        """
        inputs = self.inputs[chosen]
        p = torch.softmax(inputs @ weights.mT, dim=1)
        p[torch.arange(len(p)), self.targets[chosen]] -= 1
        total.mul_(kept).add_((p.div_(len(p)).mT @ inputs).add_(weights, alpha=weight_decay))


class _AcceleratorRows:
    """The same with few operators a step."""

    def __init__(self, features: Tensor, targets: Tensor, classes: int) -> None:
        # A row holds the inputs and the target, so that one operator collects a batch of both. The table is large:
        # with 1,000 classes, the targets of ImageNet alone take 5 GB. So no part of it is made twice.
        self.width = features.shape[1] + 1
        self.table = torch.zeros(len(features), self.width + classes, device=features.device)
        self.table[:, self.width - 1] = 1.0
        self.table[:, self.width :].scatter_(1, targets[:, None], 1.0)
        self.replace(features)

    def replace(self, features: Tensor) -> None:
        self.table[:, : self.width - 1] = features

    def add_gradient(
        self, chosen: Tensor, weights: Tensor, total: Tensor, *, kept: float, weight_decay: float
    ) -> None:
        inputs, targets = self.table.index_select(0, chosen).tensor_split([self.width], dim=1)
        p = torch.softmax(inputs @ weights.mT, dim=1).sub_(targets)
        total.addmm_(p.mT, inputs, beta=kept, alpha=1 / len(chosen)).add_(weights, alpha=weight_decay)


_Rows = _CpuRows | _AcceleratorRows


class _Momentum:
    def __init__(self, weights: Tensor) -> None:
        self.velocity = torch.zeros_like(weights)

    def step(self, rows: _Rows, chosen: Tensor, weights: Tensor, *, weight_decay: float, rate: float) -> None:
        rows.add_gradient(chosen, weights, self.velocity, kept=MOMENTUM, weight_decay=weight_decay)
        weights.sub_(self.velocity, alpha=rate)


class _Adam:
    """The formula of `trainables.training.fused_updates.adam_`, which rounds in another way."""

    def __init__(self, weights: Tensor) -> None:
        self.gradient, self.mean, self.square = (torch.zeros_like(weights) for _ in range(3))
        self.done = 0

    def step(self, rows: _Rows, chosen: Tensor, weights: Tensor, *, weight_decay: float, rate: float) -> None:
        rows.add_gradient(chosen, weights, self.gradient, kept=0.0, weight_decay=weight_decay)
        self.done += 1
        unbiased, unbiased_square = (1 - beta**self.done for beta in _BETAS)
        self.mean.lerp_(self.gradient, 1 - _BETAS[0])
        self.square.mul_(_BETAS[1]).addcmul_(self.gradient, self.gradient, value=1 - _BETAS[1])
        size = self.square.sqrt().div_(math.sqrt(unbiased_square)).add_(_EPSILON)
        weights.addcdiv_(self.mean, size, value=-rate / unbiased)
