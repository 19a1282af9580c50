"""Losses, spaces, references and columns agree, and base rates are what the recorded sweep chose."""

import dataclasses
import math
from pathlib import Path

import pytest

from search_spaces.axes import Range
from search_spaces.rates import best_rates, load_evidence, mean_accuracies, write_evidence
from search_spaces.spaces import NULL_CONTROLS, SPACES
from tests.trainables.records_example import example_record
from trainables.kernels import KERNELS
from trainables.loss_fields import LOSS_CARDS, check_loss_params, loss_fields
from trainables.losses import LOSSES, build_loss
from trainables.store.records import RecordStore
from trainables.store.schema import TrialRecord

#: Losses that have no default space on purpose: their studies say what varies.
WITHOUT_SPACE = {"general"}


def test_every_loss_has_a_space() -> None:
    assert set(SPACES) | WITHOUT_SPACE == set(LOSSES)
    assert set(SPACES) & WITHOUT_SPACE == set()


@pytest.mark.parametrize("loss", SPACES)
def test_the_main_axis_is_a_field_and_a_column(loss: str) -> None:
    space = SPACES[loss]
    assert space.main_axis in {field.name for field in dataclasses.fields(LOSSES[loss])}
    assert f"hp_{space.main_axis}" in TrialRecord.__dataclass_fields__
    assert loss_fields(loss)[space.main_axis].default == space.default


RANGES = [(loss, case) for loss, space in SPACES.items() for case in space.half_widths]


@pytest.mark.parametrize(("loss", "case"), RANGES)
def test_every_corner_of_a_space_is_allowed(loss: str, case: str) -> None:
    space = SPACES[loss]
    fixed = {space.range_field: case} if case else {}
    for value in space.range(case).values():
        check_loss_params(loss, {space.main_axis: value, **fixed})
        build_loss(loss, **{space.main_axis: value, **fixed})


@pytest.mark.parametrize(("loss", "case"), RANGES)
def test_main_axes_span_one_log_width_about_their_defaults(loss: str, case: str) -> None:
    """Of the scale of the squared distance: `t` of the inverse multiquadric is a length."""
    low, high = SPACES[loss].range(case).ends
    assert math.log(high / low) * (2 if case == "imq" else 1) == pytest.approx(math.log(64))
    assert math.sqrt(low * high) == pytest.approx(SPACES[loss].default)
    assert SPACES[loss].source
    assert SPACES[loss].lr_source


def test_kernels_that_scale_distances_have_a_range() -> None:
    assert set(SPACES["kcl"].half_widths) == set(KERNELS) - {"riesz", "gaussian_riesz"}
    with pytest.raises(KeyError):
        SPACES["kcl"].range("riesz")


def test_temperature_and_gaussian_scale_match_point_by_point() -> None:
    """exp(-t d^2) is exp(u.v / T) up to a factor at T = 1 / (2 t)."""
    scales = [1 / (2 * t) for t in SPACES["kcl"].range().values()]
    temperatures = SPACES["infonce"].range().values()
    assert sorted(scales) == pytest.approx(list(temperatures), rel=1e-5)


def test_losses_with_one_gradient_share_their_rate() -> None:
    for one, other in NULL_CONTROLS:
        assert SPACES[one].base_lr == SPACES[other].base_lr
        assert "inherited" in SPACES[one].lr_source


def test_base_rates_are_what_the_sweep_chose() -> None:
    chosen = best_rates(load_evidence())
    inherited = {one for one, _ in NULL_CONTROLS}
    assert {loss: SPACES[loss].base_lr for loss in SPACES if loss not in inherited} == chosen


def test_chosen_rates_are_inside_the_sweep() -> None:
    for loss, rates in mean_accuracies(load_evidence()).items():
        assert min(rates) < SPACES[loss].base_lr < max(rates)


def test_the_sweep_is_whole() -> None:
    rows = load_evidence()
    assert len(rows) == 5 * 5 * 3 * 3 * 2
    assert {row["seed"] for row in rows} == {"100", "101"}


def test_every_card_is_a_loss() -> None:
    assert set(LOSS_CARDS) == set(LOSSES)


def test_ranges() -> None:
    assert Range(log=(0.1, 10), points=3).values() == (0.1, 1.0, 10.0)
    assert Range(linear=(0, 1), points=5).values() == (0, 0.25, 0.5, 0.75, 1)


def parabola(best: float, noise: float = 0.0) -> list[dict[str, str]]:
    """Rows of a loss whose accuracy is a parabola over the log rate, with a bump on one rate."""
    rows = []
    for rate in (0.01, 0.03, 0.1, 0.3, 1.0):
        accuracy = 0.9 - 0.01 * math.log(rate / best) ** 2 + (noise if rate == 0.3 else 0)
        rows.append({"loss": "x", "hp_lr": str(rate), "status": "ok", "val_probe10_accuracy": str(accuracy)})
    return rows


def test_the_rule_finds_the_vertex() -> None:
    assert best_rates(parabola(0.07)) == {"x": pytest.approx(0.07)}


def test_the_rule_does_not_jump_for_a_little_noise() -> None:
    assert best_rates(parabola(0.12, noise=0.004))["x"] == pytest.approx(0.12, rel=0.25)


def test_a_sweep_of_two_weights_has_a_rate_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KCL at two weights has two labels; a column without values, and a weight that does not vary, is left out."""
    bests = {("kcl", 2.0): 0.2, ("kcl", 16.0): 0.05, ("dcl", None): 0.1}
    rates = (0.01, 0.03, 0.1, 0.3, 1.0)
    rows = [
        example_record(
            trial_id=f"{number:020x}",
            loss=loss,
            hp_gamma=gamma,
            hp_temperature=None,
            hp_lr=rate,
            val_probe_full_accuracy=0.5 - 0.01 * math.log(rate / best) ** 2,
        )
        for number, ((loss, gamma), best, rate) in enumerate(
            (key, best, rate) for key, best in bests.items() for rate in rates
        )
    ]
    monkeypatch.setattr("search_spaces.rates.EVIDENCE", tmp_path)
    for row in rows:
        RecordStore(tmp_path / "store").put(row)
    write_evidence("cifar10_small_rates", tmp_path / "store")
    found = load_evidence("cifar10_small_rates")
    assert "hp_gamma" in found[0]
    assert "hp_temperature" not in found[0]
    assert best_rates(found) == {
        "dcl": pytest.approx(0.1),
        "kcl_gamma2": pytest.approx(0.2),
        "kcl_gamma16": pytest.approx(0.05),
    }
    for row in rows:
        if row.hp_gamma != 2.0:
            RecordStore(tmp_path / "one").put(row)
    write_evidence("cifar10_small_rates", tmp_path / "one")
    assert set(best_rates(load_evidence("cifar10_small_rates"))) == {"dcl", "kcl"}


def test_a_failed_trial_scores_chance() -> None:
    rows = parabola(0.1)
    rows[0] |= {"status": "diverged", "val_probe10_accuracy": ""}
    assert mean_accuracies(rows)["x"][0.01] == 0.1
