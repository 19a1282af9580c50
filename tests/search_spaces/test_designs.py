"""Points of the unit cube: balanced, nested, the same for the same seed, and one column a hyperparameter."""

import numpy as np
import pytest

from search_spaces.designs import DRAWN_DESIGNS, columns, random_points, sobol_points
from search_spaces.loss_params import field_names
from trainables.config import AXES

#: First point of seed 0, first three columns: other numbers orphan the records of every drawn study.
FROZEN = {
    "sobol": [0.409950, 0.964120, 0.857655],
    "random": [0.636962, 0.269787, 0.040974],
}


@pytest.mark.parametrize("design", DRAWN_DESIGNS)
def test_points_are_frozen(design: str) -> None:
    assert DRAWN_DESIGNS[design](2, 0)[0, :3] == pytest.approx(FROZEN[design], abs=1e-6)


@pytest.mark.parametrize("design", DRAWN_DESIGNS)
def test_more_points_keep_the_first(design: str) -> None:
    draw = DRAWN_DESIGNS[design]
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
        column = columns(field_names(loss)[0], tuple(AXES), field_names(loss))
        assert len(set(column.values())) == len(column)
        assert column[field_names(loss)[0]] == 0
        assert column["batch_size"] == 1


def test_too_many_fields() -> None:
    with pytest.raises(ValueError, match="room for 48"):
        columns(None, tuple(AXES), [f"field{index}" for index in range(49)])
