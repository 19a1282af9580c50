"""Multinomial logistic regression with an L2 penalty, solved to its optimum on any device, for the probes.

    minimise over w, b:  sum_i ( lse_c(w_c.x_i + b_c) - (w_{y_i}.x_i + b_{y_i}) ) + l2 / 2 sum_c |w_c|^2

For three or more classes this is scikit-learn's `LogisticRegression(C=1 / l2)`. For two classes, scikit-learn fits
one weight vector, and its penalty is twice as strong. scipy's L-BFGS-B updates the parameters on the CPU. torch
computes the loss and its gradient on the device of the features. A CPU and a GPU thus use the same algorithm.
"""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

import numpy as np
import torch
from scipy.optimize import OptimizeResult, minimize
from torch import Tensor
from torch.nn import functional as F

from trainables.copies import copy_ahead, copy_back
from trainables.evaluation.linear_classifier import LinearClassifier
from trainables.turns import Turn, Turns, finish

#: The loss and its gradient at a point.
Measured = tuple[float, np.ndarray]

#: The solver stops when no entry of the preconditioned gradient is larger. Half the squared length of this gradient
#: estimates how many nats the loss (a sum over images) is above the optimum.
GRADIENT_TOLERANCE = 1e-3

#: Curvature of the loss along a feature, in units of the feature's sum of squares: p (1 - p) of a typical image.
#: Every value gives the same optimum. On the quickstart's features, this value halved the steps compared with no
#: preconditioner.
_CURVATURE = 0.01

#: `X^T X` is estimated from this number of images per coefficient. With all images it would cost as much as many
#: steps.
_SAMPLE = 16

_MAX_STEPS = 10_000


def fit_logistic(features: Tensor, labels: Tensor, *, l2: float) -> LinearClassifier:
    """The unique optimum for features `(n, d)` and labels `(n,)`, or of B fits at once for `(B, n, d)` and `(B, n)`.

    All fits in one call must have the same classes. Computes in float64. The biases have no penalty and sum to zero.
    Raises `ValueError` when `l2` is so small that the solver does not reach the optimum.
    """
    return finish(logistic_turns(features, labels, l2=l2))


def logistic_turns(features: Tensor, labels: Tensor, *, l2: float) -> Turns[LinearClassifier]:
    """Like `fit_logistic`, but with a pause after each evaluation of the loss on a GPU."""
    batched = features.double().reshape(-1, *features.shape[-2:])
    classes, targets = labels.unique(return_inverse=True)
    coordinates, basis = _row_space(batched)
    problem = _Problem(coordinates, targets.reshape(batched.shape[:2]), len(classes), l2)
    solved = yield from _solve(problem, l2)
    weights, biases = solved.split([coordinates.shape[2], 1], dim=2)
    if basis is not None:
        weights = weights @ basis.mT
    return LinearClassifier(
        weights=weights.reshape(*labels.shape[:-1], len(classes), -1),
        biases=biases.reshape(*labels.shape[:-1], len(classes)),
        classes=classes,
    )


def _row_space(features: Tensor) -> tuple[Tensor, Tensor | None]:
    """Coordinates of the features in an orthonormal basis of their rows, if n < d, and that basis.

    The optimal weights are in the row space of the features.
    """
    if features.shape[1] >= features.shape[2]:
        return features, None
    basis, coordinates = torch.linalg.qr(features.mT)
    return coordinates.mT, basis


def _solve(problem: "_Problem", l2: float) -> Turns[Tensor]:
    if problem.inputs.is_cuda:
        found = yield from _minimised_in_turns(problem)
    else:
        found = _minimised(lambda flat: problem.measure(flat)(), problem.size)
    if found.nit >= _MAX_STEPS:
        raise ValueError(f"l2: got {l2:g}; no optimum within {_MAX_STEPS} steps, allowed is a larger value")
    return problem.coefficients(found.x)


def _minimised(measure: Callable[[np.ndarray], Measured], size: int) -> OptimizeResult:
    return minimize(
        measure,
        np.zeros(size),
        jac=True,
        method="L-BFGS-B",
        options={"gtol": GRADIENT_TOLERANCE, "ftol": 0.0, "maxiter": _MAX_STEPS, "maxfun": 2 * _MAX_STEPS},
    )


def _minimised_in_turns(problem: "_Problem") -> Turns[OptimizeResult]:
    """The same solve, with a pause while the device computes.

    scipy's solver cannot pause, so it runs in a thread, which waits for every answer. Only the calling thread uses
    the device.
    """
    points: SimpleQueue[np.ndarray | None] = SimpleQueue()
    answers: SimpleQueue[Measured | None] = SimpleQueue()
    solved: list[OptimizeResult | Exception] = []

    def ask(flat: np.ndarray) -> Measured:
        points.put(flat.copy())
        answer = answers.get()
        if answer is None:
            raise _Closed
        return answer

    def solve() -> None:
        try:
            solved.append(_minimised(ask, problem.size))
        except Exception as error:
            solved.append(error)
        points.put(None)

    # Not a pool of threads: at its end, the process would wait for a solve that is paused.
    thread = Thread(target=solve, daemon=True)
    try:
        thread.start()
        while (point := points.get()) is not None:
            measured = problem.measure(point)
            yield Turn.QUEUED
            answers.put(measured())
    finally:
        answers.put(None)
        if thread.is_alive():
            thread.join()
    [result] = solved
    if isinstance(result, Exception):
        raise result
    return result


class _Closed(Exception):
    """Ends the solve in its thread, because nobody needs it any more."""


class _Problem:
    """Loss and gradient of B separate fits, as functions of one flat vector.

    The sum of the losses is separable, so its optimum is the optimum of every fit. The vector holds the coefficients
    in the coordinates of the Cholesky factor of `_CURVATURE * X^T X + l2`. In these coordinates the loss is better
    conditioned than in the coordinates of the features.
    """

    def __init__(self, features: Tensor, targets: Tensor, classes: int, l2: float) -> None:
        # Classes and features before images: products and sums over classes then run along the contiguous images.
        self.inputs = F.pad(features, (0, 1), value=1.0).mT.contiguous()  # (B, d + 1, n)
        self.targets = F.one_hot(targets, classes).mT.to(features)  # (B, C, n)
        self.penalty = F.pad(features.new_full((features.shape[2],), l2), (0, 1))  # no penalty on the bias
        self.to_coefficients = _preconditioner(self.inputs, self.penalty)  # (B, d + 1, d + 1)
        self.shape = (len(features), classes, self.inputs.shape[1])
        self.size = len(features) * classes * self.inputs.shape[1]

    def coefficients(self, flat: np.ndarray) -> Tensor:
        """The weights and, in the last column, the bias of each class, `(B, C, d + 1)`."""
        there = copy_ahead(torch.from_numpy(flat), self.inputs.device)
        return there.view(self.shape) @ self.to_coefficients

    def measure(self, flat: np.ndarray) -> Callable[[], Measured]:
        """Start to compute the loss and its gradient. The function returns them; only it waits for the device."""
        weights = self.coefficients(flat)
        log_p = torch.log_softmax(weights @ self.inputs, dim=1)
        pulled = weights * self.penalty
        loss = 0.5 * torch.dot(weights.flatten(), pulled.flatten())
        loss -= torch.dot(log_p.flatten(), self.targets.flatten())
        gradient = torch.baddbmm(pulled, log_p.exp_().sub_(self.targets), self.inputs.mT)
        flat_gradient = (gradient @ self.to_coefficients.mT).flatten()
        found = copy_back(torch.cat([loss[None], flat_gradient]))  # one copy

        def measured() -> Measured:
            both = found().numpy()
            return float(both[0]), both[1:]

        return measured


def _preconditioner(inputs: Tensor, penalty: Tensor) -> Tensor:
    """Inverse of the Cholesky factor of `_CURVATURE * X^T X + l2`, for inputs `(B, d + 1, n)`."""
    n = inputs.shape[2]
    sample = inputs[..., : _SAMPLE * inputs.shape[1]]
    gram = _CURVATURE * n / sample.shape[2] * (sample @ sample.mT)
    # With a tiny penalty, a collapsed or linearly dependent feature leaves only rounding errors in some directions.
    ridge = penalty + 1e-9 * gram.diagonal(dim1=1, dim2=2).mean(dim=1, keepdim=True)
    return torch.linalg.inv(torch.linalg.cholesky(gram + torch.diag_embed(ridge)))
