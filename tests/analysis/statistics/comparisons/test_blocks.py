"""Block errors agree with the paired t test for two losses and with the two-way layout for more."""

import numpy as np
import pytest

from analysis.statistics.comparisons.blocks import _median_of_others, block_errors


def test_two_losses_have_the_error_of_the_paired_t_test() -> None:
    values = np.random.default_rng(0).normal(size=(2, 6)) * [[1.0], [3.0]]
    small = np.full(2, 1e-3)  # cells explain little
    found = block_errors(values, small, small)
    paired = (values[1] - values[0]).std(ddof=1) / np.sqrt(6)
    assert found.freedom == 5
    assert np.hypot(*found.error) == pytest.approx(paired)
    assert not found.unlike.any()


def test_more_losses_have_the_residuals_of_loss_plus_seed() -> None:
    values = np.random.default_rng(1).normal(size=(4, 5))
    small = np.full(4, 1e-3)
    found = block_errors(values, small, small)
    rows, columns = values.mean(axis=1, keepdims=True), values.mean(axis=0)
    residuals = values - rows - columns + values.mean()
    assert found.freedom == 12
    assert found.error == pytest.approx(np.full(4, np.sqrt((residuals**2).sum() / 12 / 5)))


def test_cells_give_the_least_error_and_each_loss_keeps_its_own() -> None:
    still = np.add.outer(np.arange(3.0), np.arange(4.0))  # loss plus seed exactly: no residuals
    cell = np.array([0.1, 0.2, 0.4])
    found = block_errors(still, cell, cell)
    assert found.error == pytest.approx(cell)
    # where cells show more in the spread than they explain of the mean, only the excess counts
    assert block_errors(still, cell, 2 * cell).error == pytest.approx(cell)
    rng = np.random.default_rng(2)
    noisy = block_errors(rng.normal(size=(3, 4)), cell, cell).error
    assert noisy[2] / noisy[0] == pytest.approx(4)


def test_a_common_shift_of_a_seed_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    values, cell = rng.normal(size=(3, 4)), np.array([0.1, 0.2, 0.4])
    shifted = block_errors(values + 10 * rng.normal(size=4), cell, cell)
    plain = block_errors(values, cell, cell)
    assert shifted.error == pytest.approx(plain.error)
    assert shifted.own == pytest.approx(plain.own)


def test_a_loss_that_varies_more_than_the_others_is_unlike_them() -> None:
    rng = np.random.default_rng(4)
    values = 0.1 * rng.normal(size=(5, 6))
    values[3] += 5 * rng.normal(size=6)
    found = block_errors(values, np.full(5, 0.04), np.full(5, 0.04))
    assert found.unlike.tolist() == [False, False, False, True, False]
    others = values[[0, 1, 2, 4]].mean(axis=0)  # equal cell errors: equal weights
    assert found.own[3] == pytest.approx((values[3] - others).std(ddof=1) / np.sqrt(6))


def test_a_loss_with_a_gap_takes_no_part() -> None:
    rng = np.random.default_rng(5)
    values, cell = rng.normal(size=(4, 5)), np.full(4, 0.1)
    values[2, 1] = np.nan
    found, without = (
        block_errors(values[kept], cell[kept], cell[kept]) for kept in ([0, 1, 2, 3], [0, 1, 3])
    )
    assert found.freedom == without.freedom == 8
    assert np.isnan(found.error[2])
    assert found.error[[0, 1, 3]] == pytest.approx(without.error)


def test_batches_are_studies_side_by_side() -> None:
    rng = np.random.default_rng(6)
    values, cell = rng.normal(size=(7, 3, 4)), rng.uniform(0.1, 1, size=(7, 3))
    found = block_errors(values, cell, cell)
    for n in range(7):
        alone = block_errors(values[n], cell[n], cell[n])
        assert found.error[n] == pytest.approx(alone.error)
        assert (found.unlike[n] == alone.unlike).all()


def test_several_noisy_losses_do_not_hide_each_other() -> None:
    values = np.tile([[-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]], (7, 1))[:13]
    values[5:8] = [[40, -80, 40], [-40, 80, -40], [9, -9, 0]]
    small = np.full(13, 0.5)
    # by the mean square of the others, to which the first two add most, the third one is calm
    assert block_errors(values, small, small).unlike.tolist() == [False] * 5 + [True] * 3 + [False] * 5
    assert block_errors(values[::-1], small, small).unlike.tolist() == [False] * 5 + [True] * 3 + [False] * 5


def test_the_median_is_that_of_the_other_known_losses() -> None:
    values = np.array(
        [[4.0, 1.0, np.inf, 9.0, 2.0], [4.0, 1.0, 3.0, 9.0, 2.0], [1.0, np.inf, 5.0, np.inf, np.inf]]
    )
    found = _median_of_others(values, np.array([4, 5, 2]))
    assert found[0, [0, 1, 3, 4]].tolist() == [2.0, 4.0, 2.0, 4.0]
    assert found[1].tolist() == [2.5, 3.5, 3.0, 2.5, 3.5]
    assert found[2, [0, 2]].tolist() == [5.0, 1.0]
