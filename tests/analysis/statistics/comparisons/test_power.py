"""Power agrees with the non-central t law, and the detectable effect is found in simulated studies."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.comparisons.power import detectable_effect, power


@pytest.mark.parametrize(("effect", "seeds", "alpha"), [(0.5, 10, 0.05), (1.0, 5, 0.05), (2.0, 3, 0.01)])
def test_power_agrees_with_the_non_central_t_law(effect: float, seeds: int, alpha: float) -> None:
    critical, shift = stats.t.ppf(1 - alpha / 2, seeds - 1), effect * math.sqrt(seeds)
    law = stats.nct(seeds - 1, shift)
    assert power(effect, seeds=seeds, alpha=alpha) == pytest.approx(
        law.sf(critical) + law.cdf(-critical), abs=1e-3
    )


def test_power_without_effect_is_alpha() -> None:
    assert power(0.0, seeds=4, alpha=0.05) == pytest.approx(0.05, abs=1e-3)


def test_detectable_effect_is_found_in_simulated_studies() -> None:
    effect = detectable_effect(seeds=3, alpha=0.05)
    differences = np.random.default_rng(0).normal(effect, 1.0, size=(4000, 3))
    found = np.mean(stats.ttest_1samp(differences, 0.0, axis=-1).pvalue < 0.05)
    assert found == pytest.approx(0.8, abs=3 * math.sqrt(0.8 * 0.2 / 4000))


def test_detectable_effect_at_corners() -> None:
    assert detectable_effect(seeds=1, alpha=0.05) == math.inf
    assert math.isfinite(detectable_effect(seeds=2, alpha=0.0005))
