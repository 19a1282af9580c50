"""Losses that know their own gradient.

At M = 32 a loss written in plain tensor operations spends its time on autograd's bookkeeping, at M = 1024 on
intermediate matrices. A loss here computes value and gradient in one go and hands autograd the finished
gradient.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from trainables.loss_fields import check_loss_params
from trainables.losses.precision import compute_dtype, exact_arithmetic, is_exact
from trainables.losses.views import check_shapes

#: A hyperparameter: one number, or one per stacked trial, shape `(K,)`.
Hyperparameter = float | Tensor

#: Weight of each anchor in the sum whose gradient is wanted: a number, `(M,)` or `(K, M)`; None for no gradient.
Weights = float | Tensor | None


class AnchorTerms(NamedTuple):
    """The loss of each anchor, and the gradient of their weighted sum with respect to the views."""

    values: Tensor  # (..., M)
    grad_a: Tensor | None = None  # (..., M, d)
    grad_b: Tensor | None = None


class AnalyticLoss:
    """Base of the built-in losses: a frozen dataclass that defines `name` and `anchor_terms`.

    Called on unit-norm views `(M, d)` it returns a scalar, on `(K, M, d)` the losses `(K,)` of K independent
    trials, each hyperparameter then being a number or a `(K,)` tensor. It computes in float32, or in float64
    given float64. It can be differentiated once: `create_graph=True` raises `RuntimeError`.
    """

    name: ClassVar[str]

    def __post_init__(self) -> None:
        for field, value in vars(self).items():
            if isinstance(value, Tensor) and value.requires_grad:
                raise ValueError(f"{field}: got a tensor that requires a gradient, must be constant")
        check_loss_params(self.name, vars(self))

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """The mean of `per_anchor`. Raises `ValueError` for views of the wrong rank, shape or type."""
        check_shapes(z_a, z_b)
        loss: Tensor = _MeanLoss.apply(z_a, z_b, self.anchor_terms)
        return loss

    def per_anchor(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """The loss of each pair, `(M,)` or `(K, M)`, in the loss's units; differentiable too."""
        check_shapes(z_a, z_b)
        values: Tensor = _AnchorLosses.apply(z_a, z_b, self.anchor_terms)
        return values

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """Values `(..., M)` and, unless `weights` is None, the gradients of `sum_i weights_i values_i`."""
        raise NotImplementedError


def per_stack(name: str, value: Hyperparameter, z: Tensor) -> Hyperparameter:
    """A hyperparameter so that it broadcasts over `(K, M, d)`: numbers as they are, `(K,)` as `(K, 1, 1)`.

    Raises `ValueError` when a tensor does not have one value for each stacked trial.
    """
    if not isinstance(value, Tensor):
        return value
    if value.shape != z.shape[:-2]:
        raise ValueError(
            f"{name}: got shape {tuple(value.shape)}, must be one value a trial, {tuple(z.shape[:-2])}"
        )
    return value.to(z)[..., None, None]


def per_anchor_weight(weights: float | Tensor) -> float | Tensor:
    """Weights with an axis for the coordinates: `(M,)` as `(M, 1)`."""
    return weights[..., None] if isinstance(weights, Tensor) else weights


Terms = Callable[[Tensor, Tensor, Weights], AnchorTerms]


def _evaluate(terms: Terms, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
    dtype = compute_dtype(z_a, z_b)
    if not (z_a.dtype == z_b.dtype == dtype):
        z_a, z_b = z_a.to(dtype), z_b.to(dtype)
    if is_exact(z_a.device.type):
        return terms(z_a, z_b, weights)
    with exact_arithmetic(z_a.device.type):
        return terms(z_a, z_b, weights)


def _refuse_second_derivative() -> None:
    # autograd computes with gradients enabled in a backward pass only under create_graph; it would then take the
    # finished gradient for a constant and drop the loss's curvature without a word
    if torch.is_grad_enabled():
        raise RuntimeError(
            "this loss's gradient is finished and has no derivative of its own: create_graph=True is not supported"
        )


class _MeanLoss(torch.autograd.Function):
    """Mean over the anchors; the gradient is made together with the value."""

    @staticmethod
    def forward(ctx: Any, z_a: Tensor, z_b: Tensor, terms: Terms) -> Tensor:
        wanted = ctx.needs_input_grad[0] or ctx.needs_input_grad[1]
        values, grad_a, grad_b = _evaluate(terms, z_a, z_b, 1.0 / z_a.shape[-2] if wanted else None)
        if grad_a is not None and grad_b is not None:
            # attributes, since saving what is neither input nor output for backward costs 3 us at M = 32
            ctx.gradients, ctx.versions = (grad_a, grad_b), (grad_a._version, grad_b._version)
        return values.mean(-1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, None]:
        _refuse_second_derivative()
        grad_a, grad_b = ctx.gradients
        if (grad_a._version, grad_b._version) != ctx.versions:
            raise RuntimeError("this loss's gradient was changed in place since an earlier backward pass")
        # the usual case, and two passes less; on an accelerator looking would wait for the device
        if grad_output.is_cpu and _all_ones(grad_output):
            return grad_a, grad_b, None
        scale = grad_output[..., None, None]
        return scale * grad_a, scale * grad_b, None


def _all_ones(grad_output: Tensor) -> bool:
    if grad_output.ndim:
        return all(value == 1.0 for value in grad_output.tolist())
    return grad_output.item() == 1.0


class _AnchorLosses(torch.autograd.Function):
    """One value an anchor; their weights in the final loss are known only in the backward pass."""

    @staticmethod
    def forward(ctx: Any, z_a: Tensor, z_b: Tensor, terms: Terms) -> Tensor:
        ctx.save_for_backward(z_a, z_b)
        ctx.terms = terms
        return _evaluate(terms, z_a, z_b, None).values

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        _refuse_second_derivative()
        z_a, z_b = ctx.saved_tensors
        _, grad_a, grad_b = _evaluate(ctx.terms, z_a, z_b, grad_output)
        return grad_a, grad_b, None
