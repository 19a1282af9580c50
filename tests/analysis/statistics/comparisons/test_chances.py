"""Chances of configurations and values over ordered pairs of seeds agree with loops."""

import numpy as np
import pytest

from analysis.statistics.comparisons.chances import (
    loss_chances,
    pair_weights,
    pseudo_weights,
)
from analysis.statistics.intervals.pairs import pair_mean, pseudo_values
from analysis.statistics.scores.pairs_of_seeds import scored

WEIGHTS = np.array([0.3, 0.04, 0.16, 0.25, 0.25])


def drawn(seeds: int = 4) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.random.default_rng(seeds).normal(size=(2, 5, seeds)))


def test_values_of_pairs_agree_with_loops() -> None:
    test, validation = drawn()
    chances = loss_chances([validation], [WEIGHTS])
    tuned, worst = scored(test, chances.tuned, whole=True), scored(test, chances.worst, whole=True)
    for r in range(4):
        order = np.argsort(validation[:, r])
        tail, left = 0.0, 0.10
        for c in order:
            part = min(left, WEIGHTS[c])
            tail, left = tail + part * test[c], left - part
        for s in range(4):
            if r == s:
                assert np.isnan(tuned[r, s])
                continue
            assert tuned[r, s] == test[order[-1], s]
            assert worst[r, s] == pytest.approx(tail[s] / 0.10)
    assert scored(test, chances.average, whole=True)[0, 1:] == pytest.approx(WEIGHTS @ test[:, 1:])


def test_permuted_seeds_give_the_same_mean_and_error() -> None:
    test, validation = drawn(6)
    order = np.random.default_rng(0).permutation(6)
    found = [
        scored(test[:, at], loss_chances([validation[:, at]], [WEIGHTS]).tuned, whole=True)
        for at in (np.arange(6), order)
    ]
    assert pair_mean(found[0]) == pytest.approx(pair_mean(found[1]), abs=1e-12)
    assert pseudo_values(found[0])[order] == pytest.approx(pseudo_values(found[1]), abs=1e-12)


def test_values_by_seed_have_the_mean_over_pairs_and_the_jackknife_spread() -> None:
    values = np.random.default_rng(1).normal(size=(5, 5))
    np.fill_diagonal(values, np.nan)
    left_out = [pair_mean(np.delete(np.delete(values, s, axis=0), s, axis=1)) for s in range(5)]
    by_seed = pseudo_values(values)
    assert by_seed.mean() == pytest.approx(pair_mean(values))
    assert by_seed.var(ddof=1) / 5 == pytest.approx(4 * np.var(left_out))
    assert np.isnan(pseudo_values(values[:2, :2])).all()


def test_weights_give_the_variance_of_the_mean_and_what_the_jackknife_shows() -> None:
    """By simulation with fixed choices: the jackknife shows up to four times the variance at three seeds."""
    rng = np.random.default_rng(2)
    chances = np.eye(5)[:, [0, 1, 2]]  # each seed chooses another configuration
    test = rng.normal(size=(100_000, 5, 3))
    values = scored(test, np.broadcast_to(chances, test.shape), whole=True)
    shown = pseudo_values(values).var(axis=-1, ddof=1).mean() / 3
    assert (pair_weights(chances) ** 2).sum() == pytest.approx(pair_mean(values).var(), rel=0.02)
    assert pseudo_weights(chances).sum() == pytest.approx(shown, rel=0.02)
    assert shown / pair_mean(values).var() == pytest.approx(4, rel=0.03)


def test_each_seed_chooses_among_all_variants() -> None:
    _, validation = drawn()
    other = validation + np.array([5.0, -5.0, 5.0, -5.0])
    chances = loss_chances([validation, other], [WEIGHTS, WEIGHTS])
    assert chances.tuned.shape == (10, 4)
    assert chances.average.sum(axis=0) == pytest.approx(np.ones(4))
    assert chances.average[:5, 0] == pytest.approx(np.zeros(5))
    assert chances.average[5:, 0] == pytest.approx(WEIGHTS)


def test_a_missing_trial_leaves_only_the_pairs_that_need_it_unknown() -> None:
    test, validation = drawn()
    chosen = int(validation[:, 0].argmax())
    test[chosen, 2] = np.nan
    values = scored(test, loss_chances([validation], [WEIGHTS]).tuned, whole=True)
    assert np.isnan(values[0, 2])
    assert np.isfinite(values[0, [1, 3]]).all()
    assert np.isfinite(pair_mean(values))
    assert np.isnan(pseudo_values(values)).all()
