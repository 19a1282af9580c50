"""The drop to the neighbours agrees with a loop and with a known answer at edges too."""

import itertools

import numpy as np
import pytest

from analysis.statistics.scores.neighbourhood import local_drop


def slow_drop(test: np.ndarray, validation: np.ndarray, axis: int | None) -> float:
    drops = []
    for chooser, seed in itertools.permutations(range(test.shape[-1]), 2):
        others = validation[..., chooser]
        at = np.unravel_index(np.argmax(others), others.shape)
        near = [
            test[(*neighbour, seed)]
            for neighbour in np.ndindex(others.shape)
            if sum(abs(a - b) for a, b in zip(neighbour, at, strict=True)) == 1
            and (axis is None or neighbour[axis] != at[axis])
        ]
        if near:
            drops.append(test[(*at, seed)] - np.mean(near))
    return float(np.mean(drops))


@pytest.mark.parametrize("shape", [(5,), (3, 4), (3, 1, 4)])
def test_it_agrees_with_a_loop(shape: tuple[int, ...]) -> None:
    test, validation = np.random.default_rng(0).uniform(size=(2, *shape, 4))
    found = local_drop(test, validation)
    assert found.mean.value == pytest.approx(slow_drop(test, validation, None))
    for axis, size in enumerate(shape):
        if size > 1:
            assert found.axes[axis].value == pytest.approx(slow_drop(test, validation, axis))
        else:
            assert found.axes[axis].note == "no neighbour"


def test_known_answer_and_edges() -> None:
    scores = np.repeat(np.array([0.5, 0.9, 0.7])[:, None], 5, axis=1)
    found = local_drop(scores, scores)
    assert found.mean.value == pytest.approx(0.3)
    assert found.at_edge == 0.0
    at_end = local_drop(scores[1:], scores[1:])
    assert at_end.mean.value == pytest.approx(0.2)
    assert at_end.at_edge == 1.0


def test_flat_noise_has_no_drop() -> None:
    rng = np.random.default_rng(1)
    drops = [local_drop(noise, noise).mean.value for noise in rng.normal(size=(300, 4, 4, 5))]
    assert abs(np.mean(drops)) <= 3 * np.std(drops) / np.sqrt(300)


def test_corners() -> None:
    one = local_drop(np.ones((1, 1, 3)), np.ones((1, 1, 3)))
    assert (one.mean.note, one.at_edge) == ("no neighbour", 0.0)
    assert local_drop(np.ones((3, 1)), np.ones((3, 1))).mean.note == "too few seeds"
    nothing = local_drop(np.full((3, 4), np.nan), np.full((3, 4), np.nan))
    assert np.isnan(nothing.mean.value)
    assert np.isnan(nothing.at_edge)
    gap = np.repeat(np.array([0.5, 0.9, 0.7])[:, None], 5, axis=1)
    gap[0, 0] = np.nan
    assert local_drop(gap, np.nan_to_num(gap)).mean.note == "4 of 5 seeds"
