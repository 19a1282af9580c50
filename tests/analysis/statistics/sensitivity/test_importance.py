"""Main and total shares have known values, and intervals over seeds hold them."""

import numpy as np
import pytest

from analysis.statistics.sensitivity.importance import EXACT, GIVEN, given_importances, grid_importances
from tests.analysis.statistics.sensitivity.known_variances import EVEN, grid

NAMES = ("temperature", "batch_size")


def test_known_shares() -> None:
    """Variances 0.25 of rows, 0.06 of columns and 0.12 of both together."""
    found = grid_importances(grid(np.random.default_rng(0), 0.0), EVEN, NAMES, rng=np.random.default_rng(1))
    first, second = found.rows
    assert first.total is not None
    assert second.total is not None
    assert [first.main.value, second.main.value] == pytest.approx([25 / 43, 6 / 43])
    assert [first.total.value, second.total.value] == pytest.approx([37 / 43, 18 / 43])
    assert (found.method, found.seeds, found.cells) == (EXACT, 5, 12)
    assert first.first == 1.0


def test_shares_follow_the_measure() -> None:
    cells = np.array([[0.0, 0.0], [1.0, 3.0]])[..., None].repeat(3, axis=-1)
    weights = [np.array([0.9, 0.1]), np.array([0.5, 0.5])]
    first, second = grid_importances(cells, weights, NAMES, rng=np.random.default_rng(1)).rows
    # rows: means 0 and 2 with shares 0.9 and 0.1; columns: 0.1 and 0.3; the rest is theirs together
    assert [first.main.value, second.main.value] == pytest.approx([0.36 / 0.46, 0.01 / 0.46])
    assert first.total is not None
    assert first.total.value == pytest.approx(0.45 / 0.46)


def test_intervals_of_shares_hold_the_true_shares() -> None:
    truth, held = (25 / 43, 6 / 43), []
    for seed in range(200):
        scores = grid(np.random.default_rng(seed), 0.3)
        rows = grid_importances(scores, EVEN, NAMES, rng=np.random.default_rng(0), draws=2).rows
        held.append([row.main.low <= value <= row.main.high for row, value in zip(rows, truth, strict=True)])
    assert np.mean(held, axis=0).min() >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)


def test_draws_are_seeded_and_optuna_stands_beside() -> None:
    scores = grid(np.random.default_rng(0), 0.6)
    one, again = (grid_importances(scores, EVEN, NAMES, rng=np.random.default_rng(2)) for _ in range(2))
    assert [row.first for row in one.rows] == [row.first for row in again.rows]
    row = grid_importances(scores, EVEN, NAMES, rng=np.random.default_rng(2), optuna={"batch_size": 0.3}).rows
    assert (np.isnan(row[0].optuna), row[1].optuna) == (True, 0.3)


def test_points_give_main_effects_alone() -> None:
    rng = np.random.default_rng(3)
    points = rng.uniform(size=(300, 2))
    scores = (2 * points[:, 0] + points[:, 1])[:, None] + 0.1 * rng.normal(size=(300, 5))
    scores[0, 0] = np.nan
    found = given_importances(points, scores, NAMES, rng=rng)
    assert (found.method, found.cells, found.seeds) == (GIVEN, 299, 5)
    assert found.rows[0].total is None
    assert found.rows[0].main.value == pytest.approx(0.8, abs=0.15)
    assert found.rows[0].main.has_interval
    assert found.rows[0].first == 1.0


def test_corners() -> None:
    rng = np.random.default_rng(4)
    for scores in (np.ones((4, 3, 1)), np.full((4, 3, 5), np.nan), np.ones((4, 3, 0))):
        found = grid_importances(scores, EVEN, NAMES, rng=rng)
        assert np.isnan(found.rows[0].main.value)
        assert np.isnan(found.rows[0].first)
    assert (
        grid_importances(np.ones((4, 3, 5)), EVEN, NAMES, rng=rng).rows[0].main.note.startswith("no variance")
    )
    few = grid_importances(grid(rng, 0.1, seeds=4), EVEN, NAMES, rng=rng).rows[0].main
    assert (few.has_interval, few.note) == (False, "too few seeds")
    nothing = given_importances(np.ones((3, 2)), np.full((3, 4), np.nan), NAMES, rng=rng)
    assert (nothing.cells, np.isnan(nothing.rows[0].main.value)) == (0, True)


def noise(seeds: int, rng: np.random.Generator) -> np.ndarray:
    """Small effects of rows and columns under large noise."""
    return grid(rng, 0.0, seeds=seeds) + 3 * rng.normal(size=(4, 3, seeds))


def test_with_interactions_is_never_below_alone() -> None:
    """Where noise leaves no variance between configurations, neither share is known."""
    rng, known = np.random.default_rng(5), 0
    for _ in range(40):
        found = grid_importances(noise(5, rng), EVEN, NAMES, rng=rng, draws=50)
        for row in found.rows:
            assert row.total is not None
            if row.total.note == "no variance between configurations":
                assert np.isnan([row.total.value, row.main.value]).all()
                continue
            known += 1
            assert row.total.value >= row.main.value
    assert known > 40


@pytest.mark.parametrize(("seeds", "known"), [(2, False), (3, True)])
def test_two_seeds_give_no_shares(seeds: int, known: bool) -> None:
    rng = np.random.default_rng(6)
    scores = grid(rng, 0.1, seeds=seeds)
    points = np.stack(np.meshgrid(range(4), range(3), indexing="ij"), axis=-1).reshape(12, 2).astype(float)
    for found in (
        grid_importances(scores, EVEN, NAMES, rng=rng),
        given_importances(points, scores.reshape(12, seeds), NAMES, rng=rng),
    ):
        assert [np.isfinite(row.main.value) for row in found.rows] == [known] * 2
        assert [np.isfinite(row.first) for row in found.rows] == [known] * 2
        assert found.rows[0].main.note == ("too few seeds" if known else "needs 3 complete seeds")
