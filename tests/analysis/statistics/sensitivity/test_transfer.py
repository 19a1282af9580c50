"""Regrets of transferred choices agree with a loop, and equal cells have none."""

import itertools

import numpy as np
import pytest

from analysis.statistics.sensitivity.transfer import transfer_regret


def repeated(means: list[list[float]], seeds: int = 5) -> np.ndarray:
    return np.repeat(np.array(means)[..., None], seeds, axis=-1)


def test_known_regrets() -> None:
    scores = repeated([[0.9, 0.5, 0.8], [0.2, 0.7, 0.6]])
    found = transfer_regret(scores, scores)
    assert found.value == pytest.approx(np.array([[0, 0.5], [0.4, 0]]))
    assert np.isnan(found.low).all()  # equal at all seeds, by a step that is unknown
    assert found.cells.tolist() == [[0] * 5, [1] * 5]
    assert found.mean.value == pytest.approx(0.45)


def test_it_agrees_with_a_loop() -> None:
    test, validation = np.random.default_rng(0).uniform(size=(2, 3, 6, 5))
    found = transfer_regret(test, validation)
    for a in range(3):
        for b in range(3):
            slow = []
            for r, s in itertools.permutations(range(5), 2):
                seen = validation[..., r]
                slow.append(test[b, seen[b].argmax(), s] - test[b, seen[a].argmax(), s])
            assert found.value[a, b] == pytest.approx(np.mean(slow))


def test_equal_cells_have_no_regret() -> None:
    rng, false, mean = np.random.default_rng(1), [], []
    for noise in rng.normal(size=(400, 2, 10, 5)):
        found = transfer_regret(noise, noise, span=np.inf)
        false.append(not found.low[0, 1] <= 0 <= found.high[0, 1])
        mean.append(found.value[0, 1])
    assert np.mean(false) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert abs(np.mean(mean)) <= 3 * np.std(mean) / 20


def test_another_budget_as_the_target() -> None:
    short, long = repeated([[0.5, 0.6]]), repeated([[0.9, 0.7]])
    found = transfer_regret(long, short, target_validation=long)
    assert found.value == pytest.approx(np.array([[0.2]]))
    assert found.mean.value == pytest.approx(0.2)


def test_corners() -> None:
    one = transfer_regret(repeated([[0.5, 0.6]]), repeated([[0.5, 0.6]]))
    assert one.mean.note == "nothing to transfer between"
    few = transfer_regret(repeated([[0.5], [0.6]], seeds=1), repeated([[0.5], [0.6]], seeds=1))
    assert few.mean.note == "too few seeds"
    assert np.isnan(few.low).all()
    nothing = transfer_regret(np.full((2, 3, 4), np.nan), np.full((2, 3, 4), np.nan))
    assert np.isnan(nothing.value).all()
    empty = transfer_regret(np.ones((2, 0, 4)), np.ones((2, 0, 4)))
    assert np.isnan(empty.value).all()
    with pytest.raises(ValueError, match=r"validation: got the shape \(2, 4, 4\)"):
        transfer_regret(np.ones((2, 3, 4)), np.ones((2, 4, 4)))
