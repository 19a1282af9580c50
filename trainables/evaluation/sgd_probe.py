"""The papers' linear probe: a softmax layer trained by SGD on the frozen encoder's output. The last iterate is used.

It follows the evaluation of simclr-pytorch, the code base that the authors' follow-up paper names: SGD with
momentum 0.9, a base learning rate of 0.1 that falls linearly to zero, weight decay 1e-4 on weights and biases,
batches of 1,024 (the last batch of an epoch may be smaller), initial weights of zero, features without
standardisation, 200 epochs.

There are two differences. Features are computed once from the plain images, so the probe uses no augmentation (the
original draws new crops and flips in every epoch). The budget is given in epochs, as in the papers, and not in steps.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

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


def _gradient(inputs: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Gradient of the mean cross-entropy, `(C, d + 1)`."""
    p = torch.softmax(inputs @ weights.mT, dim=1)
    p[torch.arange(len(p), device=p.device), targets] -= 1
    return p.div_(len(p)).mT @ inputs
