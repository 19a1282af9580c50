"""Every design declares all that others ask of it; points of the unit cube are balanced, nested and reproducible."""

from collections.abc import Callable

import numpy as np
import pytest

from search_spaces.axes import Range, listed
from search_spaces.designs import DESIGNS, Design
from search_spaces.designs.design import PointRequest
from search_spaces.designs.optuna import SAMPLERS, check_sampler
from search_spaces.designs.random import random_points
from search_spaces.designs.sobol import sobol_points
from search_spaces.designs.unit_cube import COLUMNS, columns
from search_spaces.loss_params import field_names
from search_spaces.optuna_adapter import MAKERS
from study.spec.schema import SearchSection
from trainables.config import AXIS_OF
from trainables.settings import AXIS_NUMBERS

#: First point of seed 0, first three columns: other numbers orphan the records of every drawn study.
FROZEN = {
    sobol_points: [0.409950, 0.964120, 0.857655],
    random_points: [0.636962, 0.269787, 0.040974],
}

Coordinates = Callable[[int, int], np.ndarray]


@pytest.mark.parametrize("design", DESIGNS.values(), ids=list(DESIGNS))
def test_every_design_is_complete(design: Design) -> None:
    """What a new design most easily lacks: a text, keys that `[search]` has, a budget among them, sound points."""
    assert DESIGNS[design.name] is design
    assert design.meaning
    assert not design.meaning.endswith(".")
    assert set(design.keys) <= set(SearchSection.model_fields), "a key that study.spec.schema lacks"
    assert design.budget in {"", *design.keys}
    if design.adaptive:
        assert design.drawn, "a search chooses from ranges"
        assert design.budget, "a search needs an end"
    space = {"temperature": listed(0.1, 0.5) if not design.drawn else Range(log=(0.1, 0.5))}
    request = PointRequest(
        count=4, main_axis="temperature", training_axes=AXIS_OF, fields=field_names("ntxent")
    )
    points = list(design.points(space, request))
    assert points
    assert all(0.1 <= point["temperature"] <= 0.5 for point in points)
    assert list(design.points(space, request)) == points
    if design.budget and not design.adaptive:
        assert len(points) == 4


def test_every_key_of_search_belongs_to_a_design() -> None:
    taken = {key for design in DESIGNS.values() for key in design.keys}
    assert taken == set(SearchSection.model_fields) - {"design"}


def test_every_sampler_can_be_made() -> None:
    assert set(MAKERS) == set(SAMPLERS)
    for name, sampler in SAMPLERS.items():
        assert sampler.meaning
        check_sampler(name, startup=sampler.learns, early_stopping=sampler.takes_stopped)
        MAKERS[name](0, 1)


@pytest.mark.parametrize("draw", FROZEN)
def test_points_are_frozen(draw: Coordinates) -> None:
    assert draw(2, 0)[0, :3] == pytest.approx(FROZEN[draw], abs=1e-6)


@pytest.mark.parametrize("draw", FROZEN)
def test_more_points_keep_the_first(draw: Coordinates) -> None:
    np.testing.assert_array_equal(draw(64, 5)[:16], draw(16, 5))
    assert not np.array_equal(draw(16, 5), draw(16, 6))
    assert ((draw(64, 5) >= 0) & (draw(64, 5) < 1)).all()


def test_sobol_points_are_balanced() -> None:
    """Every column has one point in each of n equal intervals: what powers of two are for."""
    points = sobol_points(32, 3)
    cells = np.sort((points * 32).astype(int), axis=0)
    assert (cells == np.arange(32)[:, None]).all()
    independent = np.sort((random_points(32, 3) * 32).astype(int), axis=0)
    assert not (independent == np.arange(32)[:, None]).all(axis=0).any()


def test_the_first_two_columns_are_balanced_together() -> None:
    """The main axis and the batch size: one point in each of 8 x 8 boxes."""
    boxes = (sobol_points(64, 1)[:, :2] * 8).astype(int)
    assert len({tuple(box) for box in boxes}) == 64


def test_other_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="power of two"):
        sobol_points(12, 0)


def test_every_hyperparameter_has_its_own_column() -> None:
    for loss in ("kcl", "general", "dhel"):
        column = columns(field_names(loss)[0], AXIS_OF, field_names(loss))
        assert len(set(column.values())) == len(column)
        assert column[field_names(loss)[0]] == 0
        assert column["batch_size"] == 1


def test_too_many_fields() -> None:
    with pytest.raises(ValueError, match="room for 32"):
        columns(None, AXIS_OF, [f"field{index}" for index in range(33)])


def test_a_number_that_is_missing_moves_no_other_axis() -> None:
    """An axis is drawn in the column of its number, so an axis that a later version adds or drops moves no point."""
    assert columns("t", {"lr": 2, "momentum": 7, "later": 48}, ["t", "gamma"]) == {
        "t": 0, "gamma": 17, "lr": 2, "momentum": 7, "later": 48,
    }  # fmt: skip


def test_every_hyperparameter_has_a_column_of_its_own() -> None:
    fields = [f"field{index}" for index in range(32)]
    used = columns(None, {f"axis{number}": number for number in AXIS_NUMBERS}, fields)
    assert len(set(used.values())) == len(used)
    assert max(used.values()) < COLUMNS
