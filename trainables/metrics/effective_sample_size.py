"""The effective sample size: the effective number of negatives of an anchor."""

import torch
from torch import Tensor

from trainables.losses.views import check_views


def effective_sample_size(logits: Tensor) -> Tensor:
    """`1 / sum_j w_j^2` with `w = softmax(logits)` over the last axis, `(..., N)` to `(...)`: from 1 to N samples.

    Entries of -inf do not count. Sources: Kish 1965, Survey Sampling; for the weights in the gradient of FlatNCE,
    Chen et al. 2021, arXiv 2107.01152.
    """
    logits = logits.double()
    return (2.0 * logits.logsumexp(-1) - (2.0 * logits).logsumexp(-1)).exp()


def negatives_sample_size(z_a: Tensor, z_b: Tensor, temperature: float) -> Tensor:
    """The effective sample size of the 2M - 2 negatives of each anchor in NT-Xent and DCL, `(2M,)`, `z_a` first.

    Shapes: `(M, d)` unit-norm views. Raises `ValueError` for other views or a temperature that is not
    positive.
    """
    check_views(z_a, z_b)
    if not temperature > 0:
        raise ValueError(f"temperature: got {temperature!r}, must be a finite number > 0")
    z = torch.cat([z_a, z_b], -2).double()
    logits = z @ z.mT / temperature
    for offset in (0, len(z_a), -len(z_a)):
        logits.diagonal(offset).fill_(-torch.inf)
    return effective_sample_size(logits)
