"""The good share of the space has known values, and near the best of all losses it depends on the other losses."""

import numpy as np
import pytest

from analysis.report.sections.space.good_space import good_space_section
from analysis.study_analysis import analyse
from tests.analysis import synthetic

SEEDS = (0, 1)


def test_shares_near_the_own_best_and_near_the_best_of_all() -> None:
    """Loss a has 0.90 at two of five temperatures and 0.80 at the others; b has 0.895 everywhere."""
    arms = [synthetic.arm_info("a"), synthetic.arm_info("b")]
    planned = synthetic.plan(arms, seeds=SEEDS, values=(0.1, 0.2, 0.4, 0.8, 1.6))
    surfaces = {
        "a": lambda x, y: np.where(y < 0.3, 0.90, 0.80) + 0 * x,
        "b": lambda x, y: 0.895 + 0 * x * y,
    }
    content = good_space_section(
        analyse(planned, synthetic.run(planned, surfaces), synthetic.study_info(arms, seeds=SEEDS))
    )
    assert content is not None
    data = content.data["good_space"].set_index("arm")
    assert data.loc["a", "own"] == pytest.approx(0.4)
    assert data.loc["b", ["own", "global"]].tolist() == pytest.approx([1.0, 1.0])
    assert data.loc["a", "global"] == pytest.approx(0.4)
    assert [cell.text for cell in content.tables[0].rows[0]] == ["a", "40.0", "40.0"]
