"""Block errors agree with the paired t test for two losses and with the two-way layout for more."""

import numpy as np
import pytest

from analysis.statistics.comparisons.blocks import block_errors


def test_two_losses_have_the_error_of_the_paired_t_test() -> None:
    values = np.random.default_rng(0).normal(size=(2, 6)) * [[1.0], [3.0]]
    small = np.full(2, 1e-3)  # cells explain little
    found = block_errors(values, small, small, reference=0)
    paired = (values[1] - values[0]).std(ddof=1) / np.sqrt(6)
    assert found.freedom == 5
    assert np.hypot(*found.error) == pytest.approx(paired)
    assert found.paired[1] == pytest.approx(paired)
    assert not found.unlike.any()


def test_more_losses_have_the_residuals_of_loss_plus_seed() -> None:
    values = np.random.default_rng(1).normal(size=(4, 5))
    small = np.full(4, 1e-3)
    found = block_errors(values, small, small, reference=0)
    rows, columns = values.mean(axis=1, keepdims=True), values.mean(axis=0)
    residuals = values - rows - columns + values.mean()
    assert found.freedom == 12
    assert found.error == pytest.approx(np.full(4, np.sqrt((residuals**2).sum() / 12 / 5)))


def test_cells_give_the_least_error_and_each_loss_keeps_its_own() -> None:
    still = np.add.outer(np.arange(3.0), np.arange(4.0))  # loss plus seed exactly: no residuals
    cell = np.array([0.1, 0.2, 0.4])
    found = block_errors(still, cell, cell, reference=0)
    assert found.error == pytest.approx(cell)
    # where cells show more in the spread than they explain of the mean, only the excess counts
    assert block_errors(still, cell, 2 * cell, reference=0).error == pytest.approx(cell)
    rng = np.random.default_rng(2)
    noisy = block_errors(rng.normal(size=(3, 4)), cell, cell, reference=0).error
    assert noisy[2] / noisy[0] == pytest.approx(4)


def test_a_common_shift_of_a_seed_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    values, cell = rng.normal(size=(3, 4)), np.array([0.1, 0.2, 0.4])
    shifted = block_errors(values + 10 * rng.normal(size=4), cell, cell, reference=1)
    plain = block_errors(values, cell, cell, reference=1)
    assert shifted.error == pytest.approx(plain.error)
    assert shifted.paired == pytest.approx(plain.paired)


def test_a_loss_that_varies_more_than_the_others_is_unlike_them() -> None:
    rng = np.random.default_rng(4)
    values = 0.1 * rng.normal(size=(5, 6))
    values[3] += 5 * rng.normal(size=6)
    found = block_errors(values, np.full(5, 0.04), np.full(5, 0.04), reference=0)
    assert found.unlike.tolist() == [False, False, False, True, False]


def test_a_loss_with_a_gap_takes_no_part() -> None:
    rng = np.random.default_rng(5)
    values, cell = rng.normal(size=(4, 5)), np.full(4, 0.1)
    values[2, 1] = np.nan
    found, without = (
        block_errors(values[kept], cell[kept], cell[kept], reference=0) for kept in ([0, 1, 2, 3], [0, 1, 3])
    )
    assert found.freedom == without.freedom == 8
    assert np.isnan(found.error[2])
    assert found.error[[0, 1, 3]] == pytest.approx(without.error)


def test_batches_are_studies_side_by_side() -> None:
    rng = np.random.default_rng(6)
    values, cell = rng.normal(size=(7, 3, 4)), rng.uniform(0.1, 1, size=(7, 3))
    found = block_errors(values, cell, cell, reference=1)
    for n in range(7):
        alone = block_errors(values[n], cell[n], cell[n], reference=1)
        assert found.error[n] == pytest.approx(alone.error)
        assert (found.unlike[n] == alone.unlike).all()
