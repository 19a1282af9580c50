"""A leading axis of K trials gives each trial what it would get alone."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from tests.trainables.losses.cases import ALL, Configuration, name_of, unit
from trainables.loss_fields import LOSS_CARDS
from trainables.losses import build_loss
from trainables.losses.stacking import LossesInTurn, stack_losses

_TRIALS = 3


def _stack(pairs: int) -> Tensor:
    """`(2, K, M, d)` in float64."""
    generator = torch.Generator().manual_seed(pairs)
    return unit(torch.randn(2, _TRIALS, pairs, 4, generator=generator, dtype=torch.float64)).requires_grad_()


def _compare(losses: list[object], stacked: object, pairs: int) -> None:
    z = _stack(pairs)
    weights = torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64)
    values = stacked(z[0], z[1])  # type: ignore[operator]
    alone = torch.stack([loss(z[0, k], z[1, k]) for k, loss in enumerate(losses)])  # type: ignore[operator]
    assert values.shape == (_TRIALS,)
    torch.testing.assert_close(values, alone, rtol=1e-12, atol=1e-12)
    (gradient,) = torch.autograd.grad(values @ weights, z)
    (expected,) = torch.autograd.grad(alone @ weights, z)
    torch.testing.assert_close(gradient, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("rows", [256, 4])
@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_one_setting_for_all_trials(
    configuration: Configuration, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainables.losses.strips._CPU_ROWS", rows)
    name, fields = configuration
    loss = build_loss(name, **fields)
    for pairs in (2, 7):
        _compare([loss] * _TRIALS, loss, pairs)
    z = _stack(7)
    each = torch.stack([loss.per_anchor(a, b) for a, b in zip(z[0], z[1], strict=True)])
    torch.testing.assert_close(loss.per_anchor(z[0], z[1]), each, rtol=1e-12, atol=1e-12)
    (gradient,) = torch.autograd.grad(loss.per_anchor(z[0], z[1]).square().sum(), z)
    (expected,) = torch.autograd.grad(each.square().sum(), z)
    torch.testing.assert_close(gradient, expected, rtol=1e-11, atol=1e-11)


_SPREADS: list[tuple[str, dict[str, object], dict[str, tuple[float, ...]]]] = [
    *((name, {}, {"temperature": (0.1, 0.5, 2.0)}) for name in LOSS_CARDS if name != "kcl"),
    *((name, {}, {"temperature": (0.006, 0.5, 2.0)}) for name in ("ntxent", "infonce", "dhel")),
    ("dhel", {"form": "one_view"}, {"temperature": (0.1, 0.5, 2.0), "energy_weight": (0.0, 1.0, 3.0)}),
    ("general", {"phi": "softplus"}, {"c1": (0.5, 1.0, 0.0), "c2": (1.0, 0.0, 2.0)}),
    *(
        ("kcl", {"kernel": kernel}, {"t": (0.5, 1.0, 3.0), "gamma": (0.0, 4.0, 16.0)})
        for kernel in ("gaussian", "log", "imq", "riesz", "gaussian_riesz")
    ),
    ("kcl", {"kernel": "riesz"}, {"t": (-2.0, -0.5, 1.0)}),
]


@pytest.mark.parametrize("rows", [256, 4])
@pytest.mark.parametrize(
    ("name", "fixed", "spread"), _SPREADS, ids=[f"{name}-{spread}" for name, _, spread in _SPREADS]
)
def test_numbers_of_their_own_for_each_trial(
    name: str,
    fixed: dict[str, object],
    spread: dict[str, tuple[float, ...]],
    rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trainables.losses.strips._CPU_ROWS", rows)
    losses = [
        build_loss(name, **fixed, **{key: values[k] for key, values in spread.items()})
        for k in range(_TRIALS)
    ]
    stacked = stack_losses(losses)
    assert not isinstance(stacked, LossesInTurn)
    _compare(losses, stacked, 7)


def test_the_settings_of_one_trial_do_not_touch_another() -> None:
    z = _stack(5).detach()
    ours = build_loss("ntxent", temperature=torch.tensor([0.1, 0.5, 2.0]))(z[0], z[1])
    changed = build_loss("ntxent", temperature=torch.tensor([0.1, 0.7, 2.0]))(z[0], z[1])
    assert (ours == changed).tolist() == [True, False, True]


@dataclass(frozen=True, kw_only=True)
class _OwnLoss:
    """Without a stack axis."""

    margin: float = 0.1

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        return (self.margin - torch.linalg.diagonal(z_a @ z_b.T)).relu().mean()


@pytest.mark.parametrize(
    "losses",
    [
        [_OwnLoss(margin=margin) for margin in (0.1, 0.5, 1.0)],
        [build_loss("ntxent"), build_loss("dhel"), build_loss("kcl")],
        [build_loss("dhel", form=form) for form in ("released", "halved", "one_view")],
    ],
    ids=["own", "mixed", "forms"],
)
def test_what_cannot_be_stacked_is_called_in_turn(losses: list[object]) -> None:
    stacked = stack_losses(losses)
    assert isinstance(stacked, LossesInTurn)
    _compare(losses, stacked, 7)


def test_no_losses_and_wrong_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="losses: got none, must be at least one"):
        stack_losses([])
    z = _stack(5)
    for loss in (
        build_loss("ntxent", temperature=torch.tensor([0.1, 0.5])),
        build_loss("kcl", gamma=torch.tensor([1.0, 2.0])),
    ):
        with pytest.raises(ValueError, match=r"got shape \(2,\), must be one value a trial, \(3,\)"):
            loss(z[0], z[1])
        with pytest.raises(ValueError, match=r"must be one value a trial, \(\)"):
            loss(z[0, 0], z[1, 0])
