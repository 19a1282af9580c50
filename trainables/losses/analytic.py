"""The base class of the built-in losses, which compute their own gradient.

A loss written in plain tensor operations spends most of its time on autograd's overhead at M = 32, and on
intermediate matrices at M = 1024. The losses here compute value and gradient together and pass the gradient to
autograd.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from trainables.loss_fields import check_loss_params
from trainables.losses.precision import compute_dtype, exact_arithmetic, is_exact
from trainables.losses.views import check_shapes

#: A hyperparameter: one number, or one number per stacked trial with shape `(K,)`.
Hyperparameter = float | Tensor

#: Weight of each anchor in the sum that is differentiated: a number, `(M,)` or `(K, M)`; None for no gradient.
Weights = float | Tensor | None


class AnchorTerms(NamedTuple):
    """The loss of each anchor, and the gradient of the weighted sum of these losses with respect to the views."""

    values: Tensor  # (..., M)
    grad_a: Tensor | None = None  # (..., M, d)
    grad_b: Tensor | None = None


class AnalyticLoss:
    """Base of the built-in losses: a frozen dataclass that defines `name` and `anchor_terms`.

    For unit-norm views `(M, d)` a call returns a scalar. For `(K, M, d)` it returns the losses `(K,)` of K
    independent trials; each hyperparameter is then a number or a `(K,)` tensor. The loss computes in float32, or in
    float64 for float64 views. It can be differentiated only once: `create_graph=True` raises `RuntimeError`.
    """

    name: ClassVar[str]
    _least: dict[str, float]  # of the hyperparameters that are tensors

    def __post_init__(self) -> None:
        for field, value in vars(self).items():
            if isinstance(value, Tensor) and value.requires_grad:
                raise ValueError(f"{field}: got a tensor that requires a gradient, must be constant")
        check_loss_params(self.name, vars(self))
        # Known on the host from the start: in a step, a look at the tensors would wait for the device.
        least = {field: float(v.min()) for field, v in vars(self).items() if isinstance(v, Tensor)}
        object.__setattr__(self, "_least", least)

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """The mean of `per_anchor`. Raises `ValueError` for views of the wrong rank, shape or type."""
        check_shapes(z_a, z_b)
        loss: Tensor = _MeanLoss.apply(z_a, z_b, self.anchor_terms)
        return loss

    def per_anchor(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """The loss of each pair, `(M,)` or `(K, M)`, in the units of the loss. It is differentiable."""
        check_shapes(z_a, z_b)
        values: Tensor = _AnchorLosses.apply(z_a, z_b, self.anchor_terms)
        return values

    def least(self, field: str) -> float:
        """The smallest value of a hyperparameter over the stacked trials, without a wait for the device."""
        value: float = self._least.get(field, getattr(self, field))
        return value

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """Values `(..., M)` and, unless `weights` is None, the gradients of `sum_i weights_i values_i`."""
        raise NotImplementedError


def per_stack(name: str, value: Hyperparameter, z: Tensor) -> Hyperparameter:
    """The hyperparameter in a shape that broadcasts over `(K, M, d)`: a number unchanged, `(K,)` as `(K, 1, 1)`.

    Raises `ValueError` when a tensor does not have one value per stacked trial.
    """
    if not isinstance(value, Tensor):
        return value
    if value.shape != z.shape[:-2]:
        raise ValueError(
            f"{name}: got shape {tuple(value.shape)}, must be one value a trial, {tuple(z.shape[:-2])}"
        )
    return value.to(z)[..., None, None]


def per_anchor_weight(weights: float | Tensor) -> float | Tensor:
    """The weights with an additional axis for the coordinates: `(M,)` as `(M, 1)`."""
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
    # In a backward pass, autograd enables gradients only under create_graph. It would then treat the computed
    # gradient as a constant and silently drop the curvature of the loss.
    if torch.is_grad_enabled():
        raise RuntimeError("this loss can be differentiated only once: create_graph=True is not supported")


class _MeanLoss(torch.autograd.Function):
    """Mean over the anchors. The forward pass computes the gradient together with the value."""

    @staticmethod
    def forward(ctx: Any, z_a: Tensor, z_b: Tensor, terms: Terms) -> Tensor:
        wanted = ctx.needs_input_grad[0] or ctx.needs_input_grad[1]
        values, grad_a, grad_b = _evaluate(terms, z_a, z_b, 1.0 / z_a.shape[-2] if wanted else None)
        if grad_a is not None and grad_b is not None:
            # Attributes: `save_for_backward` of tensors that are neither input nor output costs 3 us at M = 32.
            ctx.gradients, ctx.versions = (grad_a, grad_b), (grad_a._version, grad_b._version)
        return values.mean(-1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, None]:
        _refuse_second_derivative()
        grad_a, grad_b = ctx.gradients
        if (grad_a._version, grad_b._version) != ctx.versions:
            raise RuntimeError("this loss's gradient was changed in place since an earlier backward pass")
        # A gradient of 1 is the usual case; this saves two passes. On an accelerator, the check would wait for the
        # device.
        if grad_output.is_cpu and _all_ones(grad_output):
            return grad_a, grad_b, None
        if not grad_output.ndim:
            scaled_a, scaled_b = torch._foreach_mul((grad_a, grad_b), grad_output)
            return scaled_a, scaled_b, None
        scale = grad_output[..., None, None]
        return scale * grad_a, scale * grad_b, None


def _all_ones(grad_output: Tensor) -> bool:
    if grad_output.ndim:
        return all(value == 1.0 for value in grad_output.tolist())
    return grad_output.item() == 1.0


class _AnchorLosses(torch.autograd.Function):
    """One value per anchor. The anchors' weights in the final loss are known only in the backward pass."""

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
