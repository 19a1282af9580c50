"""The gradients of NT-Xent and FlatNCE at low precision, computed by the plain formulas.

The losses of this platform compute in float32 or finer (`trainables.losses.precision`), so they do not have these
errors.
"""

from typing import Any

import torch
from torch import Tensor

from trainables.config import DiagnosticTask
from trainables.diagnostics.population import population
from trainables.metrics.effective_sample_size import negatives_sample_size

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def precision_statistics(task: DiagnosticTask, flat: bool, temperature: float, seed: int) -> dict[str, Any]:
    """Effective sample size, size of the signal, and error of the gradient at each precision, for the first M pairs.

    `signal` is the mean of `1 - p_i`, where p_i is the softmax of anchor i at its positive. It is the size of
    NT-Xent's gradient; FlatNCE's gradient does not have this factor (Chen et al. 2021, arXiv 2107.01152, section 3).
    The errors are of the gradient with respect to the anchors `(M, d)`, relative to the same formula in float64.
    Silent anchors have a gradient of 0.
    """
    size = task.training.batch_size
    z_a, z_b = (view[:size] for view in population(task, seed))
    exact = anchor_gradients(z_a, z_b, temperature, flat, torch.float64)
    found: dict[str, Any] = {
        "effective_samples": float(negatives_sample_size(z_a, z_b, temperature).mean()),
        "signal": _signal(z_a, z_b, temperature),
    }
    for name, dtype in DTYPES.items():
        rough = anchor_gradients(z_a, z_b, temperature, flat, dtype)
        finite = bool(rough.isfinite().all())
        found[f"gradient_error_{name}"] = float((rough - exact).norm() / exact.norm()) if finite else None
        found[f"silent_{name}"] = float((rough == 0).all(-1).double().mean())
    return found


def anchor_gradients(z_a: Tensor, z_b: Tensor, temperature: float, flat: bool, dtype: torch.dtype) -> Tensor:
    """The gradient `(M, d)` of each anchor's loss with respect to the anchor, computed in `dtype`, as float64."""
    anchors = z_a.to(dtype, copy=True).requires_grad_()  # a copy, so that the caller's tensor is unchanged
    logits = _logits(anchors, z_a.to(dtype), z_b.to(dtype), temperature)
    positives = logits.diagonal()
    if flat:
        losses = (logits - positives[:, None]).masked_fill(_own(logits), -torch.inf).logsumexp(-1)
    else:
        losses = -logits.log_softmax(-1).diagonal()
    (gradient,) = torch.autograd.grad(losses.sum(), anchors)
    return gradient.double()


def _logits(anchors: Tensor, z_a: Tensor, z_b: Tensor, temperature: float) -> Tensor:
    """`(M, 2M)`: first the other view with the positive on the diagonal, then the own view without the anchor."""
    own = (anchors @ z_a.mT / temperature).masked_fill(torch.eye(len(z_a), dtype=torch.bool), -torch.inf)
    return torch.cat([anchors @ z_b.mT / temperature, own], -1)


def _own(logits: Tensor) -> Tensor:
    return torch.eye(len(logits), logits.shape[1], dtype=torch.bool)


def _signal(z_a: Tensor, z_b: Tensor, temperature: float) -> float:
    """The mean of `1 - p_i`, computed without cancellation."""
    logits = _logits(z_a, z_a, z_b, temperature)
    negatives = logits.masked_fill(_own(logits), -torch.inf).logsumexp(-1)
    return float((negatives - logits.logsumexp(-1)).exp().mean())
