"""Every loss has its card, its reference and its columns, and they agree."""

import dataclasses
import subprocess
import sys

import pytest
import torch

from tests.reference.losses import _PHI, _PSI, LOOP_LOSSES
from tests.trainables.losses.cases import ALL
from trainables.kernels import KERNELS
from trainables.loss_fields import LOSS_CARDS, check_loss_params, loss_fields
from trainables.loss_table import loss_table
from trainables.losses import LOSSES, build_loss
from trainables.losses.own_loss import check_trial_batch
from trainables.losses.penalties import PHI, PSI
from trainables.temperature import TEMPERATURE


@pytest.mark.parametrize(
    "table", [LOSS_CARDS, LOOP_LOSSES, {name for name, _ in ALL}], ids=["card", "loop", "case"]
)
def test_every_loss_is_everywhere(table: object) -> None:
    assert set(table) == set(LOSSES)  # type: ignore[call-overload]


def test_every_penalty_is_everywhere() -> None:
    assert set(PHI) == set(loss_fields("general")["phi"].choices) == set(_PHI)
    assert set(PSI) == set(loss_fields("general")["psi"].choices) == set(_PSI)


@pytest.mark.parametrize("name", LOSSES)
def test_fields_and_defaults_are_those_of_the_card(name: str) -> None:
    loss = LOSSES[name]
    assert loss.name == name
    fields = {spec.name: spec.default for spec in dataclasses.fields(loss)}
    assert fields == {spec.name: spec.default for spec in LOSS_CARDS[name].fields}
    assert loss.__dataclass_params__.frozen
    assert all(spec.kw_only for spec in dataclasses.fields(loss))
    check_trial_batch(build_loss(name), name)


@pytest.mark.parametrize("name", LOSSES)
def test_cards_accept_their_own_defaults_and_choices(name: str) -> None:
    for field in LOSS_CARDS[name].fields:
        field.check(field.default)
        assert isinstance(field.default, field.type)
        for choice in field.choices:
            field.check(choice)
    check_loss_params(name, {})


@pytest.mark.parametrize(
    ("function", "scalar", "points"),
    [(PHI[name], _PHI[name], torch.linspace(-3.0, 3.0, 20)) for name in PHI]
    + [(PSI[name], _PSI[name], torch.linspace(0.1, 5.0, 20)) for name in PSI],
    ids=[*PHI, *PSI],
)
def test_penalties_have_their_derivatives(function: object, scalar: object, points: torch.Tensor) -> None:
    points = points.double().requires_grad_()
    value, slope = function(points.detach().clone())  # type: ignore[operator]
    expected = scalar(points)  # type: ignore[operator]
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(slope, torch.autograd.grad(expected.sum(), points)[0])


def _monotone_and_convex(function: object, low: float) -> tuple[bool, bool]:
    points = torch.linspace(low, 3.0, 101, dtype=torch.float64)
    slope = function(points)[1]  # type: ignore[operator]
    return bool((slope >= 0).all()), bool((slope.diff() >= -1e-12).all())


def test_penalties_break_what_they_say_they_break() -> None:
    for name, function in PHI.items():
        monotone, convex = _monotone_and_convex(function, -3.0)
        assert monotone == ("NOT MONOTONE" not in (function.__doc__ or "")), name
        assert convex == ("NOT CONVEX" not in (function.__doc__ or "")), name
    for name, function in PSI.items():
        assert _monotone_and_convex(function, 0.01)[0] == ("NOT MONOTONE" not in (function.__doc__ or "")), (
            name
        )


def test_the_table_names_every_loss_field_and_source() -> None:
    table = loss_table()
    for name, card in LOSS_CARDS.items():
        (row,) = [line for line in table.splitlines() if line.startswith(f"| `{name}` | `{card.formula}")]
        assert card.source in row
        for field in card.fields:
            assert f"`{field.name}` = {field.default}: {field.allowed}" in row
    for kernel in KERNELS:
        assert f"| `{kernel}` | " in table
    assert {line.count(" | ") for line in table.splitlines() if line} == {3, 4}


@pytest.mark.parametrize("name", LOSS_CARDS)
def test_every_temperature_and_kernel_declares_how_it_acts(name: str) -> None:
    """A temperature is its own equivalent; in `general`, only where phi is an exponential."""
    fields = loss_fields(name)
    found = {spec.name: spec.acts_as for spec in fields.values() if spec.acts_as[1]}
    if name == "kcl":
        assert found == {"t": ("kernel", {each.name: each.acts_as for each in KERNELS.values()})}
        return
    assert found == {
        "temperature": ("phi", {"exp": TEMPERATURE}) if name == "general" else ("", {"": TEMPERATURE})
    }
    assert TEMPERATURE.law is not None
    assert TEMPERATURE.law.at(0.3) == 0.3


def test_the_cards_load_without_torch() -> None:
    loaded = "import sys, trainables.kernels, trainables.loss_fields, trainables.loss_table, trainables.temperature"
    subprocess.run(
        [sys.executable, "-c", f"{loaded}; assert not {{'torch', 'numpy'}} & set(sys.modules)"], check=True
    )
