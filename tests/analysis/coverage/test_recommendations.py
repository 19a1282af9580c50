"""Over 100 simulated studies a scenario, what is said of a recommendation is true in 95 % of them or more.

`pytest -m slow -n 0 -s` prints the table.
"""

import math

import numpy as np
import pytest

from tests.analysis.coverage.recommended import SEEDS, STUDIES, WORLDS, truths

pytestmark = pytest.mark.slow

#: The level less three Monte-Carlo errors.
LEAST = 0.95 - 3 * math.sqrt(0.05 * 0.95 / STUDIES)


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("name", WORLDS)
def test_what_is_said_of_a_recommendation_is_true(name: str, seeds: int) -> None:
    found = truths(WORLDS[name], seeds, np.random.default_rng(seeds))
    print(f"\n{name}, {seeds} seeds: " + ", ".join(f"{key} {value:.4f}" for key, value in found.items()))
    if "failures" in name:
        # Withheld wherever a failure is seen at or beside a chosen setting. No data show a failure that no trial had:
        # of the few studies without one, more than 5 % miss the score; of all studies, fewer.
        assert found["told"] < 0.5
        for key in ("regrets", "best", "score"):
            assert found["told"] * (1 - found.get(key, 1.0)) <= 0.05
        return
    assert found["told"] == 1
    assert found["regrets"] >= LEAST
    assert found["best"] >= LEAST
    assert found["score"] >= LEAST
    assert found["wrong"] <= 0.05
    assert abs(found["bias"]) < 0.002
