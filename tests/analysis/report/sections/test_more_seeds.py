"""The section on more seeds plans the least number that has the power, and trials where the noise is."""

import numpy as np
import pytest

from analysis.report.sections.trials.more_seeds import more_seeds_section
from analysis.statistics.comparisons.power import power
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic
from tests.analysis.conftest import SURFACES, Study


def test_seeds_to_settle_have_the_power_at_the_strictest_step(findings: StudyAnalysis) -> None:
    content = more_seeds_section(findings)
    assert content is not None
    shown = content.tables[0]
    assert len(shown.rows) == len(findings.comparisons)
    alpha = 0.05 / len(findings.comparisons)
    for row, item in zip(shown.rows, findings.comparisons, strict=True):
        for cell, gap in zip(row[4:], (item.difference.value, findings.info.tolerance), strict=True):
            if cell.text.isdigit() and int(cell.text) > 2:
                effect = abs(gap) / item.deviation
                assert power(effect, seeds=int(cell.text), alpha=alpha) >= 0.8
                assert power(effect, seeds=int(cell.text) - 1, alpha=alpha) < 0.8


def test_trials_to_add_go_where_the_noise_is(findings: StudyAnalysis) -> None:
    content = more_seeds_section(findings)
    assert content is not None
    added = content.data["more_seeds"]
    for label, cells in findings.cells.items():
        own = added[added["arm"] == label]
        assert own["trials_to_add"].sum() == len(cells.weights)
        assert own["deviation"].to_numpy() == pytest.approx(cells.test.std(axis=1, ddof=1))
        noisy = own["deviation"] >= own["deviation"].quantile(0.8)
        assert own.loc[noisy, "trials_to_add"].mean() > own.loc[~noisy, "trials_to_add"].mean()


def test_one_seed_plans_nothing(study: Study) -> None:
    planned, records, info = study
    one = planned[planned["seed"] == planned["seed"].min()]
    assert more_seeds_section(analyse(one, records, info)) is None


def test_without_noise_no_share_is_told(study: Study) -> None:
    planned, _, info = study
    records = synthetic.run(planned, SURFACES, noise=0.0, rng=np.random.default_rng(0))
    content = more_seeds_section(analyse(planned, records, info))
    assert content is not None
    assert {row[3].text for row in content.tables[1].rows} == {"–"}
