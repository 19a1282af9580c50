import numpy as np
import pandas as pd
import pytest

from analysis.model.info import StudyInfo
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

SURFACES = {
    "infonce": synthetic.hill(peak=0.90, at=0.2, width=5.0, slope=0.01),
    "dhel": synthetic.hill(peak=0.92, at=0.4, width=7.0, slope=0.005),
    "kcl": synthetic.hill(peak=0.91, at=2.0, width=6.0, slope=0.004),
}

Study = tuple[pd.DataFrame, pd.DataFrame, StudyInfo]


def make_study() -> Study:
    """Three arms of different main axes, two seeds, some noise."""
    arms = [
        synthetic.arm_info("infonce", title="InfoNCE"),
        synthetic.arm_info("dhel", title="DHEL", base_lr=0.03),
        synthetic.arm_info("kcl", title="KCL", kernel=True, base_lr=0.01),
    ]
    planned = synthetic.plan(arms)
    records = synthetic.run(planned, SURFACES, noise=0.005, rng=np.random.default_rng(0))
    return planned, records, synthetic.study_info(arms)


@pytest.fixture
def study() -> Study:
    """A study of its own for each test, to be changed at will."""
    return make_study()


@pytest.fixture
def findings(study: Study) -> StudyAnalysis:
    return analyse(*study)
