"""The papers' linear probe: a softmax layer trained by SGD on the frozen encoder's output. The last iterate is used.

It follows the evaluation of simclr-pytorch, the code base that the authors' follow-up paper names: SGD with
momentum 0.9, a base learning rate of 0.1 that falls linearly to zero, weight decay 1e-4 on weights and biases,
batches of 1,024 (the last batch of an epoch may be smaller), initial weights of zero, features without
standardisation, 200 epochs.

There are two differences. Features are computed once from the plain images, so the probe uses no augmentation (the
original draws new crops and flips in every epoch). The budget is given in epochs, as in the papers, and not in steps.

On CUDA, launching the operators takes most of the time of a step. `fit_sgd_together` therefore needs 7 operators a
step for one probe and 8 for several, where the form for a CPU needs 14 for one. The two forms differ by rounding.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.copies import copy_ahead
from trainables.evaluation.features import Labelled
from trainables.evaluation.linear_classifier import LinearClassifier

MOMENTUM = 0.9


@torch.no_grad()
def fit_sgd(
    train: Labelled,
    *,
    epochs: int,
    lr: float,
    weight_decay: float,
    batch_size: int,
    order: torch.Generator,
) -> LinearClassifier:
    """Train for `epochs` passes over the training rows, in float32 on their device, and return the classifier.

    The generator `order` is on the CPU, so the batches are the same on every device.
    """
    if train.features.is_cuda:
        (found,) = fit_sgd_together(
            [train], epochs=epochs, lr=lr, weight_decay=weight_decay, batch_size=batch_size, orders=[order]
        )
        return found
    classes, targets = train.labels.unique(return_inverse=True)
    inputs = F.pad(train.features.float(), (0, 1), value=1.0)
    weights = inputs.new_zeros(len(classes), inputs.shape[1])  # the last column holds the biases
    velocity = torch.zeros_like(weights)
    steps, step = epochs * -(-len(inputs) // batch_size), 0
    for _ in range(epochs):
        shuffled = torch.randperm(len(inputs), generator=order).to(inputs.device)
        for batch in shuffled.split(batch_size):
            gradient = _gradient(inputs[batch], targets[batch], weights).add_(weights, alpha=weight_decay)
            velocity.mul_(MOMENTUM).add_(gradient)
            weights.sub_(velocity, alpha=lr * (1 - step / steps))
            step += 1
    return LinearClassifier(weights=weights[:, :-1], biases=weights[:, -1], classes=classes)


@torch.no_grad()
def fit_sgd_together(
    trains: Sequence[Labelled],
    *,
    epochs: int,
    lr: float,
    weight_decay: float,
    batch_size: int,
    orders: Sequence[torch.Generator],
) -> list[LinearClassifier]:
    """The probes of B encoders at once, each with its own order of the rows; one step serves all of them.

    Raises `ValueError` for training sets that differ in their number of rows, features or classes.
    """
    shapes = {(*train.features.shape, len(train.labels)) for train in trains}
    if len(shapes) != 1:
        raise ValueError(f"trains: got shapes {sorted(shapes)}; allowed is one shape")
    classes, targets = torch.stack([train.labels for train in trains]).unique(return_inverse=True)
    count, rows, width = len(trains), len(trains[0].labels), trains[0].features.shape[1] + 1
    # A row holds the inputs and the target, so that one operator collects a batch of both. The table is large: with
    # 1,000 classes, the targets of ImageNet alone take 5 GB. So no part of it is made twice.
    table = torch.zeros(count, rows, width + len(classes), device=targets.device)
    for part, train in zip(table, trains, strict=True):
        part[:, : width - 1] = train.features
    table[..., width - 1] = 1.0
    one_hot = table[..., width:].scatter_(2, targets.unsqueeze(2), 1.0)
    if not bool(one_hot.any(dim=1).all()):
        raise ValueError("trains: got different classes; allowed are the same classes in every training set")
    table = table.flatten(0, 1)
    weights = table.new_zeros(count, len(classes), width)  # the last column holds the biases
    velocity = torch.zeros_like(weights)
    first_row = rows * torch.arange(count)[:, None]
    steps, step = epochs * -(-rows // batch_size), 0
    for _ in range(epochs):
        shuffled = torch.stack([torch.randperm(rows, generator=order) for order in orders])
        for chosen in copy_ahead(first_row + shuffled, table.device).split(batch_size, dim=1):
            batch = table.index_select(0, chosen.flatten()).view(count, chosen.shape[1], -1)
            inputs = batch[..., :width]
            p = torch.softmax(inputs @ weights.mT, dim=2).sub_(batch[..., width:])
            velocity.baddbmm_(p.mT, inputs, beta=MOMENTUM, alpha=1 / chosen.shape[1])
            velocity.add_(weights, alpha=weight_decay)
            weights.sub_(velocity, alpha=lr * (1 - step / steps))
            step += 1
    return [LinearClassifier(weights=each[:, :-1], biases=each[:, -1], classes=classes) for each in weights]


def _gradient(inputs: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Gradient of the mean cross-entropy, `(C, d + 1)`."""
    p = torch.softmax(inputs @ weights.mT, dim=1)
    p[torch.arange(len(p), device=p.device), targets] -= 1
    return p.div_(len(p)).mT @ inputs
