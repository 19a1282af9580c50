"""Where a study says several things at once, at most one study in twenty says anything wrong."""

import math

import numpy as np
import pytest

from analysis.statistics.comparisons.equivalence import EQUIVALENT, corrected, equivalence_test
from analysis.statistics.sensitivity.transfer import transfer_regret

pytestmark = pytest.mark.slow

STUDIES = 1000
#: The level and three Monte-Carlo errors.
MOST = 0.05 + 3 * math.sqrt(0.05 * 0.95 / STUDIES)
MARGIN = 2.0


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("shared", [0.0, 0.3], ids=["independent", "one reference"])
def test_losses_on_the_margin_are_rarely_called_equivalent(seeds: int, shared: float) -> None:
    """Five losses whose true difference is the margin itself, with and without the noise of one reference."""
    rng, wrong = np.random.default_rng(seeds), []
    for _ in range(STUDIES):
        noise = 0.3 * rng.normal(size=(5, seeds)) - shared * rng.normal(size=seeds)
        tests = [equivalence_test(MARGIN + row, MARGIN) for row in noise]
        wrong.append(
            [any(item.verdict == EQUIVALENT for item in found) for found in (tests, corrected(tests))]
        )
    single, family = np.mean(wrong, axis=0)
    print(
        f"\nany false equivalence of five, {seeds} seeds: {single:.3f} each by itself, {family:.3f} corrected"
    )
    assert family <= MOST
    assert single > MOST  # the correction is needed


@pytest.mark.parametrize(("environments", "seeds"), [(5, 5), (3, 10), (6, 5)])
def test_the_largest_regret_of_equal_cells_is_rarely_above_0(environments: int, seeds: int) -> None:
    rng, wrong = np.random.default_rng(seeds), []
    for _ in range(STUDIES):
        luck = rng.normal(size=(environments, 8, seeds))
        test, validation = (luck + 0.3 * rng.normal(size=luck.shape) for _ in range(2))
        found = transfer_regret(test, validation, span=np.inf)
        wrong.append([found.low[found.largest_at] > 0, not found.largest.low <= 0 <= found.largest.high])
    single, corrected_ = np.mean(wrong, axis=0)
    print(
        f"\nlargest of {environments * (environments - 1)} regrets of 0: {single:.3f}, corrected {corrected_:.3f}"
    )
    assert corrected_ <= MOST
    assert single > corrected_


@pytest.mark.parametrize("seeds", [5, 10])
def test_the_largest_regret_holds_what_its_configurations_lose(seeds: int) -> None:
    """Cells of unequal means, another best one in each environment: 95 % or more."""
    rng, held = np.random.default_rng(seeds), []
    means = rng.normal(size=(4, 8))
    for _ in range(STUDIES):
        luck = means[..., None] + rng.normal(size=(4, 8, seeds))
        test, validation = (luck + 0.3 * rng.normal(size=luck.shape) for _ in range(2))
        found = transfer_regret(test, validation, span=np.inf)
        a, b = found.largest_at or (0, 0)
        truth = (means[b][found.cells[b]] - means[b][found.cells[a]]).mean()
        held.append(found.largest.low - 1e-9 <= truth <= found.largest.high + 1e-9)
    print(f"\nlargest regret, {seeds} seeds: covered in {np.mean(held):.3f}")
    assert np.mean(held) >= 1 - MOST
