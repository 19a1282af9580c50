"""Mathematical facts that hold between losses, and of each loss alone."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from tests.trainables.losses.cases import ALL, FAMILY, Configuration, name_of, unit, views
from trainables.losses import build_loss


def _gradient(loss: object, z_a: Tensor, z_b: Tensor) -> Tensor:
    z = torch.stack([z_a, z_b]).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(z[0], z[1]), z)  # type: ignore[operator]
    return gradient


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("temperature", [0.005, 0.07, 0.5])
@pytest.mark.parametrize(("flat", "base"), [("flatnce", "dcl"), ("flatnce_plus", "ntxent")])
@pytest.mark.parametrize("pairs", [7, 300])
def test_flatnce_has_the_gradient_of_its_base_to_the_bit(
    flat: str, base: str, temperature: float, dtype: torch.dtype, pairs: int
) -> None:
    z_a, z_b = (z.to(dtype) for z in views("random", pairs, d=8))
    loss, of = build_loss(flat, temperature=temperature), build_loss(base, temperature=temperature)
    assert loss(z_a, z_b) == 1.0
    assert torch.equal(_gradient(loss, z_a, z_b), _gradient(of, z_a, z_b))
    assert torch.equal(loss.per_anchor(z_a, z_b), of.per_anchor(z_a, z_b))


def test_released_dhel_is_twice_the_halved_plus_the_mean_positive() -> None:
    z_a, z_b = views("random", 9, d=6)
    released = build_loss("dhel", temperature=0.3)(z_a, z_b)
    halved = build_loss("dhel", temperature=0.3, form="halved")(z_a, z_b)
    torch.testing.assert_close(released, 2 * halved + (z_a * z_b).sum(-1).mean() / 0.3, rtol=1e-13, atol=0)


def test_released_dhel_is_the_sum_of_its_one_view_forms_plus_the_mean_positive() -> None:
    z_a, z_b = views("random", 9, d=6)
    one_view = build_loss("dhel", temperature=0.3, form="one_view")
    released = build_loss("dhel", temperature=0.3)(z_a, z_b)
    both = one_view(z_a, z_b) + one_view(z_b, z_a)
    torch.testing.assert_close(released, both + (z_a * z_b).sum(-1).mean() / 0.3, rtol=1e-13, atol=0)


def test_energy_weight_zero_leaves_the_alignment() -> None:
    z_a, z_b = views("random", 9, d=6)
    loss = build_loss("dhel", temperature=0.3, energy_weight=0.0)
    torch.testing.assert_close(loss(z_a, z_b), -(z_a * z_b).sum(-1).mean() / 0.3, rtol=1e-13, atol=0)


def test_released_log_kernel_loss_is_twice_ours_at_half_gamma() -> None:
    z_a, z_b = views("random", 9, d=6)
    t, gamma = 2.0, 16.0
    released = 2 * torch.log(t * (z_a - z_b).norm(dim=1).pow(2) + 1).mean()
    for z in (z_a, z_b):
        released = released + gamma * (-0.5 * torch.log(t * torch.pdist(z).pow(2) + 1).mean())
    ours = build_loss("kcl", kernel="log", t=t, gamma=gamma / 2)(z_a, z_b)
    torch.testing.assert_close(released, 2 * ours, rtol=1e-13, atol=0)


@pytest.mark.parametrize(
    ("configuration", "general"),
    [
        (("infonce", {}), {"psi": "log1p", "c1": 1.0, "c2": 0.0}),
        (("ntxent", {}), {"psi": "log1p", "c1": 1.0, "c2": 1.0}),
        (("dcl", {}), {"psi": "log", "c1": 1.0, "c2": 1.0}),
        (("dhel", {"form": "halved"}), {"psi": "log", "c1": 0.0, "c2": 1.0}),
    ],
    ids=["infonce", "ntxent", "dcl", "dhel"],
)
def test_the_family_is_a_case_of_the_general_form(
    configuration: Configuration, general: dict[str, object]
) -> None:
    z_a, z_b = views("random", 9, d=6)
    for temperature in (0.005, 0.1, 1.0):
        named = build_loss(configuration[0], temperature=temperature, **configuration[1])
        form = build_loss("general", temperature=temperature, **general)
        torch.testing.assert_close(named(z_a, z_b), form(z_a, z_b), rtol=1e-12, atol=1e-12)
        expected = _gradient(named, z_a, z_b)
        torch.testing.assert_close(_gradient(form, z_a, z_b), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_rotating_and_permuting_changes_nothing(configuration: Configuration) -> None:
    name, fields = configuration
    loss = build_loss(name, **fields)
    z_a, z_b = views("random", 9, d=6)
    generator = torch.Generator().manual_seed(1)
    rotation = torch.linalg.qr(torch.randn(6, 6, generator=generator, dtype=torch.float64)).Q
    order = torch.randperm(9, generator=generator)
    torch.testing.assert_close(loss(z_a @ rotation, z_b @ rotation), loss(z_a, z_b), rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(loss(z_a[order], z_b[order]), loss(z_a, z_b), rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(loss.per_anchor(z_a[order], z_b[order]), loss.per_anchor(z_a, z_b)[order])


_ONE_SIDED = ("one_sided", "one_view")


@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_swapping_the_views_changes_nothing_in_symmetric_forms(configuration: Configuration) -> None:
    name, fields = configuration
    loss = build_loss(name, **fields)
    z_a, z_b = views("random", 9, d=6)
    same = torch.isclose(loss.per_anchor(z_a, z_b), loss.per_anchor(z_b, z_a), rtol=1e-12, atol=1e-13).all()
    assert bool(same) == (fields.get("form") not in _ONE_SIDED)


@pytest.mark.parametrize("pairs", [2, 4, 6])
@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_regular_simplices_are_stationary_on_the_sphere(configuration: Configuration, pairs: int) -> None:
    # M <= d + 1 points at equal angles, both views alike; Riesz with s > 0 has its pole there, and its guard
    # makes the gradient of the positives zero
    d = 5
    centred = torch.eye(pairs, dtype=torch.float64) - 1 / pairs
    simplex = torch.zeros(pairs, d, dtype=torch.float64)
    left, singular, _ = torch.linalg.svd(centred)
    simplex[:, : pairs - 1] = (left * singular)[:, : pairs - 1]
    simplex = unit(simplex)
    name, fields = configuration
    gradient = _gradient(build_loss(name, **fields), simplex, simplex)
    tangential = gradient - (gradient * simplex).sum(-1, keepdim=True) * simplex
    assert tangential.abs().max() <= 1e-10 * max(1.0, gradient.abs().max().item())


def test_other_points_are_not_stationary() -> None:
    # the test above would pass for a gradient that is always zero
    z_a, _ = views("random", 4, d=5)
    for name, fields in FAMILY:
        gradient = _gradient(build_loss(name, **fields), z_a, z_a)
        tangential = gradient - (gradient * z_a).sum(-1, keepdim=True) * z_a
        assert tangential.abs().max() > 1e-3


def _means(name: str, pairs: int, draws: int) -> tuple[float, float]:
    """Mean of the loss over independent batches of uniform views, with its standard error."""
    generator = torch.Generator().manual_seed(pairs)
    z_a, z_b = unit(torch.randn(2, draws, pairs, 4, generator=generator, dtype=torch.float64))
    values = build_loss(name)(z_a, z_b)
    return values.mean().item(), values.std().item() / draws**0.5


def test_expected_kcl_does_not_depend_on_the_number_of_pairs_but_infonce_does() -> None:
    means = {name: [_means(name, pairs, 4096) for pairs in (2, 8, 32)] for name in ("kcl", "infonce")}
    for (few, few_error), (many, many_error) in pairwise(means["kcl"]):
        assert abs(few - many) <= 4 * (few_error**2 + many_error**2) ** 0.5
    for (few, few_error), (many, many_error) in pairwise(means["infonce"]):
        assert many - few > 20 * (few_error**2 + many_error**2) ** 0.5


def test_dcl_may_be_negative_and_ntxent_may_not() -> None:
    z_a, _ = views("random", 4, d=64)
    assert build_loss("dcl", temperature=0.1)(z_a, z_a) < 0 < build_loss("ntxent", temperature=0.1)(z_a, z_a)
