"""Every loss equals its loop version in float64, in value and gradient."""

import dataclasses

import pytest
import torch

from tests.reference.losses import LOOP_LOSSES
from tests.trainables.losses.cases import ALL, KERNELS, KINDS, Configuration, name_of, unit, views
from trainables.losses import build_loss

#: Largest error as a share of the largest entry.
_FAMILY_TOLERANCE, _KERNEL_TOLERANCE = 1e-12, 1e-9


def _tolerance(configuration: Configuration) -> float:
    return _KERNEL_TOLERANCE if configuration in KERNELS else _FAMILY_TOLERANCE


def _compare(configuration: Configuration, kind: str, pairs: int) -> None:
    name, fields = configuration
    z_a, z_b = (z.requires_grad_() for z in views(kind, pairs, d=5, seed=pairs))
    loss = build_loss(name, **fields)
    expected = LOOP_LOSSES[name](z_a, z_b, **dataclasses.asdict(loss))
    weights = torch.linspace(0.5, 1.5, pairs, dtype=torch.float64)
    pairs_to_compare = [(loss(z_a, z_b), expected.mean())]
    if not name.startswith("flatnce"):  # their value per anchor is log xi, see the identities
        pairs_to_compare.append(((weights * loss.per_anchor(z_a, z_b)).sum(), (weights * expected).sum()))
    for value, wanted in pairs_to_compare:
        tolerance = _tolerance(configuration)
        assert abs(value - wanted) <= tolerance * max(1.0, abs(wanted.item()))
        gradient = torch.stack(torch.autograd.grad(value, (z_a, z_b)))
        wanted_gradient = torch.stack(torch.autograd.grad(wanted, (z_a, z_b), retain_graph=True))
        assert (gradient - wanted_gradient).abs().max() <= tolerance * max(
            1.0, wanted_gradient.abs().max().item()
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_loss_equals_its_loop(configuration: Configuration, kind: str) -> None:
    for pairs in (2, 7):
        _compare(configuration, kind, pairs)


@pytest.mark.parametrize("configuration", [ALL[2], ALL[4], ALL[10]], ids=name_of)
def test_loss_equals_its_loop_at_64_pairs(configuration: Configuration) -> None:
    _compare(configuration, "random", 64)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pairs", [3, 16, 64])
@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_loss_equals_its_loop_at_more_sizes(configuration: Configuration, pairs: int, kind: str) -> None:
    _compare(configuration, kind, pairs)


@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_large_batches_in_strips_equal_small_ones_in_one_piece(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, fields = configuration
    loss = build_loss(name, **fields)
    z = torch.stack(views("random", 23, d=5)).requires_grad_()
    weights = torch.linspace(0.5, 1.5, 23, dtype=torch.float64)
    whole, whole_weighted = loss(*z), (weights * loss.per_anchor(*z)).sum()
    (gradient,) = torch.autograd.grad(whole, z)
    (weighted_gradient,) = torch.autograd.grad(whole_weighted, z)
    monkeypatch.setattr("trainables.losses.strips._CPU_ROWS", 5)
    torch.testing.assert_close(loss(*z), whole, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(torch.autograd.grad(loss(*z), z)[0], gradient, rtol=1e-11, atol=1e-12)
    in_strips = (weights * loss.per_anchor(*z)).sum()
    torch.testing.assert_close(in_strips, whole_weighted, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(
        torch.autograd.grad(in_strips, z)[0], weighted_gradient, rtol=1e-11, atol=1e-12
    )


@pytest.mark.parametrize("distance", [1e-2, 1e-4])
@pytest.mark.parametrize("t", [2.0, -0.5])
def test_riesz_near_coincidence_keeps_its_stated_digits(t: float, distance: float) -> None:
    # two points of one view at the given distance: the Gram matrix knows d^2 to about 1e-15
    z_a, z_b = views("random", 4, d=5)
    z_a[1] = unit(z_a[0] + distance * unit(z_a[1] - z_a[0]))
    value = build_loss("kcl", kernel="riesz", t=t)(z_a, z_b)
    expected = LOOP_LOSSES["kcl"](z_a, z_b, kernel="riesz", t=t, gamma=16.0).mean()
    assert abs(value - expected) <= abs(t) * 1e-15 / distance**2 * abs(expected) + 1e-12


def test_positives_that_nearly_coincide_keep_their_digits() -> None:
    # with Gram distances the alignment's gradient would be off by 1e-16 / 1e-7 of its scale
    z_a, noise = views("random", 4, d=5)
    z_b = (z_a + 1e-7 * noise).requires_grad_()
    loss = build_loss("kcl", kernel="gaussian_riesz", t=-2.0, gamma=0.0)
    (gradient,) = torch.autograd.grad(loss(z_a, z_b), z_b)
    expected = LOOP_LOSSES["kcl"](z_a, z_b, kernel="gaussian_riesz", t=-2.0, gamma=0.0).mean()
    (wanted,) = torch.autograd.grad(expected, z_b)
    torch.testing.assert_close(gradient, wanted, rtol=1e-12, atol=0.0)
