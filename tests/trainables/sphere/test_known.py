"""Known optima: closed forms of every loss, and nothing better to be found."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.config import LossConfig
from trainables.losses import LOSSES, build_loss
from trainables.sphere.ideal import ideal_points
from trainables.sphere.known import ideal_name, is_optimum_known
from trainables.sphere.optimum import full_loss, optimum_loss

T, GAMMA = 0.5, 3.0


def _kcl(of_distance: Callable[[float], float], at_zero: float) -> Callable[[int], float]:
    return lambda n: -2 * at_zero + 2 * GAMMA * of_distance(2 * n / (n - 1))


#: Name and fields of a loss, and its least value at a simplex of n points.
CLOSED_FORMS: list[tuple[str, dict[str, object], Callable[[int], float]]] = [
    ("infonce", {}, lambda n: math.log1p((n - 1) * math.exp(-n / (n - 1) / T))),
    ("infonce", {"form": "one_sided"}, lambda n: math.log1p((n - 1) * math.exp(-n / (n - 1) / T))),
    ("ntxent", {}, lambda n: math.log1p(2 * (n - 1) * math.exp(-n / (n - 1) / T))),
    ("flatnce_plus", {}, lambda n: math.log1p(2 * (n - 1) * math.exp(-n / (n - 1) / T))),
    ("dcl", {}, lambda n: math.log(2 * (n - 1)) - n / (n - 1) / T),
    ("flatnce", {}, lambda n: math.log(2 * (n - 1)) - n / (n - 1) / T),
    ("dhel", {}, lambda n: -1 / T + 2 * (math.log(n - 1) - 1 / (n - 1) / T)),
    ("dhel", {"form": "halved"}, lambda n: math.log(n - 1) - n / (n - 1) / T),
    ("dhel", {"form": "one_view"}, lambda n: math.log(n - 1) - n / (n - 1) / T),
    ("dhel", {"energy_weight": 4.0}, lambda n: -1 / T + 8 * (math.log(n - 1) - 1 / (n - 1) / T)),
    ("general", {"psi": "identity", "c2": 0.5}, lambda n: 1.5 * (n - 1) * math.exp(-n / (n - 1) / T)),
    ("general", {"phi": "linear", "psi": "identity"}, lambda n: -2 * n / T),
    ("kcl", {"kernel": "gaussian", "t": 0.7}, _kcl(lambda d2: math.exp(-0.7 * d2), 1.0)),
    ("kcl", {"kernel": "log", "t": 0.7}, _kcl(lambda d2: -0.5 * math.log1p(0.7 * d2), 0.0)),
    ("kcl", {"kernel": "imq", "t": 0.7}, _kcl(lambda d2: 0.7 / math.sqrt(0.49 + d2), 1.0)),
    ("kcl", {"kernel": "riesz", "t": -1.0}, _kcl(lambda d2: -math.sqrt(d2), 0.0)),
    ("kcl", {"kernel": "riesz", "t": -2.0}, _kcl(lambda d2: -d2, 0.0)),
    ("kcl", {"kernel": "gaussian_riesz", "t": 1.0}, _kcl(lambda d2: 1 / math.sqrt(d2), 1.0)),
]


def config(name: str, fields: dict[str, object]) -> LossConfig:
    more = {"gamma": GAMMA} if name == "kcl" else {"temperature": T}
    return LossConfig(name=name, params={**more, **fields})  # type: ignore[dict-item]


@pytest.mark.parametrize(("n_pairs", "dim"), [(2, 2), (3, 2), (5, 4), (5, 9), (9, 8)])
def test_a_simplex_has_equal_inner_products(n_pairs: int, dim: int) -> None:
    points = ideal_points(n_pairs, dim)
    expected = torch.full((n_pairs, n_pairs), -1 / (n_pairs - 1), dtype=torch.float64).fill_diagonal_(1)
    assert points is not None
    assert points.shape == (n_pairs, dim)
    torch.testing.assert_close(points @ points.T, expected)


def test_which_sizes_have_an_ideal() -> None:
    assert ideal_name(9, 8) == "simplex"
    assert ideal_name(16, 8) == ideal_name(4, 2) == "cross_polytope"
    assert ideal_name(10, 8) is None
    assert ideal_points(10, 8) is None
    assert optimum_loss(LossConfig(name="infonce"), 10, 8) is None


def test_every_loss_has_a_closed_form() -> None:
    assert {name for name, _, _ in CLOSED_FORMS} == set(LOSSES)


@pytest.mark.parametrize(("name", "fields", "value"), CLOSED_FORMS)
@pytest.mark.parametrize("n_pairs", [2, 5, 8])
def test_the_optimum_has_its_closed_form(
    name: str, fields: dict[str, object], value: Callable[[int], float], n_pairs: int
) -> None:
    # Riesz with t < 0 is constant within 1e-6 of coincidence, by which its alignment is off
    assert optimum_loss(config(name, fields), n_pairs, 7) == pytest.approx(value(n_pairs), abs=3e-6)


@pytest.mark.parametrize(("dim", "published"), [(16, 2.346416), (4, 2.413505)])
def test_published_optima_of_eight_pairs(dim: int, published: float) -> None:
    """Cross-view InfoNCE summed over its two directions, at temperature 1."""
    least = optimum_loss(LossConfig(name="infonce", params={"temperature": 1.0}), 8, dim)
    assert least is not None
    assert 2 * least == pytest.approx(published, abs=5e-7)


def best_found(loss: LossConfig, n_pairs: int, dim: int, *, starts: int, steps: int) -> Tensor:
    """The least loss from each of many random starts, by Adam."""
    built, generator = build_loss(loss.name, **loss.params), torch.Generator().manual_seed(0)
    z = torch.randn(starts, 2, n_pairs, dim, dtype=torch.float64, generator=generator).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        z_a, z_b = F.normalize(z, dim=-1).unbind(1)
        optimizer.zero_grad()
        built(z_a, z_b).sum().backward()
        optimizer.step()
        schedule.step()
    z_a, z_b = F.normalize(z.detach(), dim=-1).unbind(1)
    losses = [full_loss(built, a, b) for a, b in zip(z_a, z_b, strict=True)]
    return torch.tensor(losses, dtype=torch.float64)


@pytest.mark.parametrize(("name", "fields", "_value"), CLOSED_FORMS)
@pytest.mark.parametrize(("n_pairs", "dim"), [(4, 3), (4, 2)])
def test_nothing_is_better_than_the_known_optimum(
    name: str, fields: dict[str, object], _value: object, n_pairs: int, dim: int
) -> None:
    loss = config(name, fields)
    least = optimum_loss(loss, n_pairs, dim)
    if least is None:
        assert name == "general"  # of N = 2d, its decoupled and InfoNCE forms alone are known
        return
    found = best_found(loss, n_pairs, dim, starts=8, steps=150)
    assert found.min() > least - 1e-5  # the guard of Riesz again
    assert found.min() < least + 0.02


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.05, 0.1, 0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", ["infonce", "ntxent", "dcl", "dhel"])
@pytest.mark.parametrize(("n_pairs", "dim"), [(8, 4), (16, 8)])
def test_no_start_beats_the_cross_polytope(name: str, temperature: float, n_pairs: int, dim: int) -> None:
    loss = LossConfig(name=name, params={"temperature": temperature})
    least = optimum_loss(loss, n_pairs, dim)
    assert least is not None
    assert best_found(loss, n_pairs, dim, starts=48, steps=1500).min() > least - 1e-10


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("kcl", {"kernel": "riesz", "t": 1.0}),  # its alignment has a pole
        ("kcl", {"kernel": "riesz", "t": -3.0}),
        ("kcl", {"kernel": "gaussian_riesz", "t": -3.0}),
        ("general", {"phi": "sigmoid", "psi": "identity"}),
        ("general", {"phi": "quadratic", "psi": "identity"}),
        ("general", {"phi": "exp", "psi": "square_log"}),
        ("tests.study.own_loss:Spread", {}),
    ],
)
def test_what_is_not_known_is_not_claimed(name: str, fields: dict[str, object]) -> None:
    assert not is_optimum_known(name, fields, 8, 16)
    assert optimum_loss(LossConfig(name=name, params=fields), 8, 16) is None  # type: ignore[arg-type]


def test_below_minus_two_riesz_energies_cluster() -> None:
    """Two antipodal clusters beat the simplex: (N / 2) / (N - 1) of all pairs have distance 2, the others 0."""
    loss = build_loss("kcl", kernel="riesz", t=-3.0, gamma=1.0)
    simplex, pole = ideal_points(8, 16), F.one_hot(torch.zeros(8, dtype=torch.long), 16).double()
    assert simplex is not None
    clusters = pole * torch.tensor([1.0, -1.0]).repeat(4)[:, None].double()
    assert full_loss(loss, simplex, simplex) == pytest.approx(-2 * (16 / 7) ** 1.5, abs=1e-6)
    assert full_loss(loss, clusters, clusters) == pytest.approx(-2 * 8 * 4 / 7, abs=1e-6)
    assert full_loss(loss, clusters, clusters) < full_loss(loss, simplex, simplex)
