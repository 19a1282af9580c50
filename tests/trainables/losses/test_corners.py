"""Value and gradient are finite at every corner of the declared space, in every precision."""

from itertools import product

import pytest
import torch

from tests.trainables.losses.cases import KINDS, Configuration, name_of, views
from trainables.kernels import KERNELS
from trainables.kernels.riesz import riesz, riesz_guard
from trainables.losses import build_loss

_TEMPERATURES = (0.005, 0.0142, 0.0144, 0.0225, 0.1, 1.0, 10.0)
_KERNEL_RANGES = {
    "gaussian": (1e-4, 2.0, 1e4),
    "log": (1e-3, 2.0, 1e6),
    "imq": (0.01, 2.0, 100.0),
    "riesz": (-4.0, -2.0, -1.0, -0.01, 0.01, 1.0, 4.0),
    "gaussian_riesz": (-4.0, -0.5, 0.5, 4.0),
}


def _corners() -> list[Configuration]:
    plain = [
        ("infonce", {}),
        ("infonce", {"form": "one_sided"}),
        ("ntxent", {}),
        ("dcl", {}),
        ("flatnce", {}),
    ]
    plain += [
        ("flatnce_plus", {}),
        *(("dhel", {"form": form}) for form in ("released", "halved", "one_view")),
    ]
    family = [(name, {**fields, "temperature": t}) for (name, fields), t in product(plain, _TEMPERATURES)]
    kernels = [
        ("kcl", {"kernel": kernel, "t": t, "gamma": gamma})
        for kernel, ts in _KERNEL_RANGES.items()
        for t, gamma in product(ts, (0.0, 1e6))
    ]
    general = [
        ("general", {"temperature": least, "phi": phi, "psi": psi, "c1": 100.0, "c2": 100.0})
        for phi, psi, least in (
            ("exp", "log1p", 0.005),
            ("exp", "log", 0.005),
            ("exp", "square_log", 0.005),
            ("exp", "identity", 0.03),
            ("exp", "square", 0.08),
            ("softplus", "log", 0.005),
            ("sigmoid", "log", 0.005),
            ("quadratic", "square", 0.005),
            ("hinge", "log1p", 0.005),
            ("linear", "identity", 0.005),
        )
    ]
    return family + kernels + general


@pytest.mark.parametrize("configuration", _corners(), ids=name_of)
def test_finite(configuration: Configuration) -> None:
    name, fields = configuration
    loss = build_loss(name, **fields)
    for dtype, kind in product((torch.float32, torch.bfloat16, torch.float64), KINDS):
        z = torch.stack(views(kind, 6, d=8)).to(dtype).requires_grad_()
        value = loss(z[0], z[1])
        (gradient,) = torch.autograd.grad(value, z)
        assert value.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
        assert value.isfinite(), (dtype, kind, value)
        assert gradient.isfinite().all(), (dtype, kind)


@pytest.mark.parametrize(("name", "temperature"), list(product(("ntxent", "dhel", "infonce"), (0.005, 0.02))))
def test_float32_is_right_to_its_digits_at_low_temperature(name: str, temperature: float) -> None:
    # near-collapsed embeddings, where exp(u.v / T) overflows float32
    z_a, z_b = views("close", 16, d=8)
    z_a, z_b = (torch.nn.functional.normalize(z + 3.0, dim=-1) for z in (z_a, z_b))
    loss = build_loss(name, temperature=temperature)
    exact = loss(z_a, z_b)
    assert abs(loss(z_a.float(), z_b.float()) - exact) <= 4e-7 / temperature


def test_the_two_ways_to_sum_agree_where_they_meet() -> None:
    # at 1/T = 70 the sums change from plain to shifted
    z_a, z_b = views("close", 9, d=4)
    for name in ("infonce", "ntxent", "dcl", "dhel"):
        for dtype, tolerance in ((torch.float32, 1e-3), (torch.float64, 1e-5)):
            values, gradients = [], []
            for temperature in (1 / 69.9999, 1 / 70.0001):
                z = torch.stack([z_a, z_b]).to(dtype).requires_grad_()
                values.append(build_loss(name, temperature=temperature)(z[0], z[1]))
                gradients.append(torch.autograd.grad(values[-1], z)[0])
            torch.testing.assert_close(*values, rtol=tolerance, atol=tolerance)
            torch.testing.assert_close(*gradients, rtol=tolerance, atol=tolerance)


def test_declared_kernel_ranges_are_the_tested_ones() -> None:
    assert set(_KERNEL_RANGES) == set(KERNELS)
    for kernel, values in _KERNEL_RANGES.items():
        field = KERNELS[kernel].parameter
        low = field.at_least if field.at_least is not None else 1e-4  # gaussian: any t > 0
        assert (low, field.at_most) == (min(values), max(values))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("t", [4.0, 0.5, -0.5])
def test_riesz_is_constant_within_its_guard_and_exact_outside(dtype: torch.dtype, t: float) -> None:
    guard = riesz_guard(dtype)
    squared = torch.tensor([0.0, guard / 2, guard * 2, 1.0], dtype=dtype)
    terms = riesz(squared.clone(), t)
    value, slope = terms.value_factor * terms.value, terms.slope_factor * terms.slope
    sign = 1.0 if t > 0 else -1.0
    edge = sign * guard ** (-t / 2)
    assert value[:2].tolist() == pytest.approx([edge, edge], rel=1e-5)
    assert slope[:2].tolist() == [0.0, 0.0]
    outside = sign * squared[2:].double() ** (-t / 2)
    torch.testing.assert_close(value[2:].double(), outside, rtol=1e-6, atol=0)
    expected_slope = -t / 2 * outside / squared[2:].double()
    torch.testing.assert_close(slope[2:].double(), expected_slope, rtol=1e-6, atol=0)


@pytest.mark.parametrize("d", [2, 128, 4096])
def test_rounding_of_coincident_points_stays_within_the_guard(d: int) -> None:
    # 200 copies of one point: every squared distance is rounding, every kernel value the guard's
    z = views("collapsed", 200, d=d, seed=d)[0].float()
    value = build_loss("kcl", kernel="riesz", t=2.0, gamma=1.0).per_anchor(z, z)
    expected = -2 / riesz_guard(torch.float32) + 2 / riesz_guard(torch.float32)
    torch.testing.assert_close(value, torch.full((200,), expected), rtol=0, atol=1.0)
