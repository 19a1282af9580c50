import numpy as np
import pytest

from analysis.statistics.more_seeds import seeds_to_settle, where_to_add_seeds
from analysis.statistics.power import seeds_needed


@pytest.mark.parametrize("alpha", [0.05, 0.0005])
def test_seeds_agree_with_the_scalar_form(alpha: float) -> None:
    rng = np.random.default_rng(0)
    differences = rng.normal(0.5, 1.0, size=(6, 4))
    slow = [seeds_needed(abs(row.mean()), row.std(ddof=1), alpha=alpha) or np.inf for row in differences]
    assert seeds_to_settle(differences, alpha=alpha).tolist() == slow


def test_the_margin_is_taken_off() -> None:
    rows = np.array([[0.4, 0.5, 0.6], [-0.6, -0.5, -0.4]])
    assert (
        seeds_to_settle(rows, margin=0.4).tolist()
        == seeds_to_settle(rows - np.array([[0.4], [-0.4]])).tolist()
    )
    assert seeds_to_settle(rows, margin=0.5).tolist() == [np.inf, np.inf]


def test_corners_of_seeds() -> None:
    rows = np.array([[0.1, np.nan, np.nan], [0.2, 0.2, 0.2], [0.0, 0.0, 0.0], [-1.0, 1.0, 0.001]])
    assert seeds_to_settle(rows) == pytest.approx([np.nan, 2, np.inf, np.inf], nan_ok=True)
    assert np.isnan(seeds_to_settle(np.full((1, 2), np.nan))).all()


def test_trials_go_where_the_noise_is() -> None:
    scores = np.array([0.0, 1.0, 0.0, 1.0]) * np.array([1.0, 3.0, 0.0])[:, None]
    added = where_to_add_seeds(scores, np.full(3, 1 / 3), trials=40)
    assert added.sum() == 40
    assert added[2] == 0
    assert (added[1] + 4) / (added[0] + 4) == pytest.approx(3, rel=0.1)


def test_no_other_place_lowers_the_variance_more() -> None:
    rng = np.random.default_rng(1)
    scores, weights = rng.normal(size=(5, 3)) * rng.uniform(size=(5, 1)), rng.dirichlet(np.ones(5))
    part = (weights * scores.std(axis=1, ddof=1)) ** 2
    added = where_to_add_seeds(scores, weights, trials=6)
    best = part @ (1 / (3 + added))
    for drop in np.flatnonzero(added):
        for gain in range(5):
            moved = added + np.eye(5, dtype=int)[gain] - np.eye(5, dtype=int)[drop]
            assert part @ (1 / (3 + moved)) >= best - 1e-15


def test_corners_of_places() -> None:
    assert where_to_add_seeds(np.ones((3, 4)), np.full(3, 1 / 3), trials=5).tolist() == [0, 0, 0]
    single = np.array([[0.1, np.nan], [0.1, 0.4], [np.nan, np.nan]])
    assert where_to_add_seeds(single, np.full(3, 1 / 3), trials=2).tolist() == [1, 0, 1]
    assert where_to_add_seeds(single, np.array([0.5, 0.5, 0.0]), trials=3)[2] == 0
    with pytest.raises(ValueError, match="trials: got -1"):
        where_to_add_seeds(single, np.full(3, 1 / 3), trials=-1)
