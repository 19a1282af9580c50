"""Tunability agrees with a loop, and an axis without effect gains nothing on average."""

import itertools

import numpy as np
import pytest

from analysis.statistics.sensitivity.tunability import tunability


def grid(seeds: int = 5) -> np.ndarray:
    """Accuracy 0.5 + 0.1 on row 2 - 0.2 on row 0 + 0.05 in column 1; 0.9 at (0, 0) alone."""
    means = np.full((3, 2), 0.5) + np.array([-0.2, 0.0, 0.1])[:, None] + np.array([0.0, 0.05])
    means[0, 0] = 0.9
    return np.repeat(means[..., None], seeds, axis=-1)


def test_known_answers() -> None:
    found = tunability(grid(), grid(), (1, 1))  # the default has 0.55
    rows, columns = found.axes
    assert rows.gain.value == pytest.approx(0.1)
    assert columns.gain.value == pytest.approx(0.0)
    assert found.gain.value == pytest.approx(0.35)


def test_it_agrees_with_a_loop() -> None:
    rng = np.random.default_rng(0)
    test, validation = rng.uniform(size=(2, 3, 4, 2, 5))
    default, gains = (1, 2, 0), []
    for chooser, seed in itertools.permutations(range(5), 2):
        others = validation[..., chooser]
        line = [(1, value, 0) for value in range(4)]
        gains.append(test[(*max(line, key=lambda c: others[c]), seed)] - test[(*default, seed)])
    found = tunability(test, validation, default)
    assert found.axes[1].gain.value == pytest.approx(np.mean(gains))


def test_an_axis_without_effect_gains_nothing_on_average() -> None:
    rng, held_out, naive = np.random.default_rng(1), [], []
    for _ in range(200):
        noise = 0.5 + 0.01 * rng.normal(size=(8, 1, 5))
        held_out.append(tunability(noise, noise, (0, 0)).axes[0].gain.value)
        naive.append(noise.mean(axis=-1).max() - noise[0, 0].mean())
    error = np.std(held_out) / np.sqrt(200)
    assert abs(np.mean(held_out)) <= 3 * error
    assert np.mean(naive) > 5 * error


def test_corners() -> None:
    one = tunability(np.full((1, 1, 3), 0.5), np.full((1, 1, 3), 0.5), (0, 0))
    assert (one.axes[0].gain.value, one.axes[1].gain.value, one.gain.value) == (0, 0, 0)
    assert tunability(grid(1), grid(1), (1, 1)).gain.note == "too few seeds"
    nothing = tunability(np.full((3, 2, 4), np.nan), np.full((3, 2, 4), np.nan), (1, 1))
    assert np.isnan(nothing.axes[0].gain.value)
    with pytest.raises(ValueError, match=r"default: got \(3, 0\); one index an axis of the grid \(3, 2\)"):
        tunability(grid(), grid(), (3, 0))
    with pytest.raises(ValueError, match="default"):
        tunability(grid(), grid(), (0,))


def test_the_default_chosen_again_is_told_as_such() -> None:
    scores = grid() + 0.001 * np.random.default_rng(0).normal(size=(3, 2, 5))
    best = tuple(int(at) for at in np.unravel_index(scores.mean(axis=-1).argmax(), (3, 2)))
    found = tunability(scores, scores, best)
    assert (found.gain.value, found.gain.note) == (0, "same configuration chosen")
