"""The full-batch solve: the optimum that scikit-learn finds, for one problem and for several at once."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from trainables.evaluation import logistic
from trainables.evaluation.features import Labelled
from trainables.evaluation.logistic import fit_logistic


def problem(n: int, d: int, classes: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Correlated features and labels that they explain in part; every class occurs."""
    generator = torch.Generator().manual_seed(seed)
    features = (
        torch.randn(n, d, generator=generator).double() @ torch.randn(d, d, generator=generator).double()
    )
    features = (features - features.mean(0)) / features.std(0)
    scores = features @ torch.randn(d, classes, generator=generator).double()
    labels = (scores + 2 * torch.randn(n, classes, generator=generator)).argmax(1)
    return features, torch.cat([torch.arange(classes), labels[classes:]])


@pytest.mark.parametrize(("n", "d", "classes"), [(300, 12, 5), (30, 64, 3)])
@pytest.mark.parametrize("l2", [0.1, 1.0, 10.0])
def test_the_optimum_is_scikit_learns(n: int, d: int, classes: int, l2: float) -> None:
    from sklearn.linear_model import LogisticRegression

    features, labels = problem(n, d, classes)
    theirs = LogisticRegression(C=1 / l2, max_iter=10_000, tol=1e-9).fit(features.numpy(), labels.numpy())
    ours = fit_logistic(features, labels, l2=l2)
    largest = np.abs(theirs.coef_).max()
    assert np.abs(ours.weights.numpy() - theirs.coef_).max() < 3e-3 * largest
    assert np.abs(ours.biases.numpy() - theirs.intercept_).max() < 3e-3 * largest
    fresh, truth = problem(500, d, classes, seed=1)
    agreeing = theirs.score(fresh.numpy(), truth.numpy())
    assert ours.accuracy(Labelled(features=fresh, labels=truth)) == pytest.approx(agreeing, abs=1 / 500)


def test_no_classifier_nearby_is_better() -> None:
    features, labels = problem(200, 6, 3)
    found = fit_logistic(features, labels, l2=1.0)

    def objective(weights: torch.Tensor, biases: torch.Tensor) -> torch.Tensor:
        scores = features @ weights.mT + biases
        return F.cross_entropy(scores, labels, reduction="sum") + weights.square().sum() / 2

    weights, biases = found.weights.clone().requires_grad_(), found.biases.clone().requires_grad_()
    gradients = torch.autograd.grad(objective(weights, biases), (weights, biases))
    assert max(float(gradient.abs().max()) for gradient in gradients) < 0.05  # of a sum over 200 images


@pytest.mark.parametrize(("n", "d"), [(60, 8), (20, 30)])
def test_fits_solved_together_are_those_solved_alone(n: int, d: int) -> None:
    problems = [problem(n, d, 3, seed) for seed in range(4)]
    together = fit_logistic(*(torch.stack(column) for column in zip(*problems, strict=True)), l2=1.0)
    assert together.weights.shape == (4, 3, d)
    for index, each in enumerate(problems):
        alone = fit_logistic(*each, l2=1.0)
        torch.testing.assert_close(together.weights[index], alone.weights, atol=3e-3, rtol=0)
        torch.testing.assert_close(together.biases[index], alone.biases, atol=3e-3, rtol=0)


def test_a_fit_repeats_to_the_bit() -> None:
    features, labels = problem(300, 12, 5)
    first, second = (fit_logistic(features, labels, l2=1.0) for _ in range(2))
    assert torch.equal(first.weights, second.weights)


def test_threads_change_nothing_beyond_rounding() -> None:
    features, labels = problem(2000, 40, 5)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = fit_logistic(features, labels, l2=1.0)
        torch.set_num_threads(2)
        two = fit_logistic(features, labels, l2=1.0)
    finally:
        torch.set_num_threads(threads)
    torch.testing.assert_close(one.weights, two.weights, atol=1e-3, rtol=0)


def test_classes_that_do_not_occur_are_never_predicted() -> None:
    features, labels = problem(100, 5, 2)
    found = fit_logistic(features, 3 * labels + 1, l2=1.0)  # labels 1 and 4
    assert found.classes.tolist() == [1, 4]
    assert found.accuracy(Labelled(features=features, labels=3 * labels + 1)) > 0.6


def test_a_tiny_penalty_on_dependent_features() -> None:
    features, labels = problem(40, 30, 3)
    doubled = torch.cat([features, features, torch.zeros(40, 5)], dim=1)
    found = fit_logistic(doubled, labels, l2=1e-12)
    assert found.weights.isfinite().all()
    assert found.accuracy(Labelled(features=doubled, labels=labels)) == 1.0


def test_an_optimum_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic, "_MAX_STEPS", 3)
    with pytest.raises(ValueError, match=r"l2: got 0\.001; no optimum within 3 steps"):
        fit_logistic(*problem(100, 10, 4), l2=1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_finds_the_same_optimum() -> None:
    features, labels = problem(2000, 64, 10)
    here = fit_logistic(features, labels, l2=1.0)
    there = fit_logistic(features.cuda(), labels.cuda(), l2=1.0)
    torch.testing.assert_close(there.weights.cpu(), here.weights, atol=1e-3, rtol=0)
