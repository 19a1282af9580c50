"""The meaning of a loss's hyperparameters as a temperature travels from the declarations to the analysis."""

from pathlib import Path

import pytest

from analysis.model.arms import split_arms
from analysis.model.info import StudyInfo
from analysis.model.meaning import TEMPERATURE, Meaning
from analysis.model.pairing import Pairs, pair_cells
from analysis.study_analysis import split_cells
from study.loaded import load_study
from study.report.study_table import study_table
from tests.study.conftest import WriteStudy

OLD = "[losses.ntxent]\ntemperature = [0.1, 0.5]\n[losses.kcl]\nt = [2.0]\n"


def described(study: Path, store: Path) -> StudyInfo:
    """The study with its arms split."""
    loaded = load_study(str(study), str(store), None)
    table, info = study_table(loaded.plan, loaded.study_file)
    return split_arms(table, info)[1]


def test_losses_and_kernels(write_study: WriteStudy, tmp_path: Path) -> None:
    losses = """
[losses.ntxent]
temperature = [0.1, 0.5]
[losses.kcl]
t = [1.0, 2.0]
[losses.imq]
loss = "kcl"
kernel = "imq"
t = [1.0, 2.0]
lr = 0.1
[losses.both]
loss = "kcl"
kernel = ["gaussian", "log"]
t = [1.0, 2.0]
lr = 0.1
[losses.linear]
loss = "general"
phi = "linear"
psi = "identity"
temperature = [0.1, 0.5]
lr = 0.1
[losses."tests.study.own_loss:FailsAtHalf"]
margin = [0.1, 0.2]
lr = 0.1
"""
    info = described(write_study((OLD, losses)), tmp_path / "store")
    found = {arm.label: arm.main.meaning for arm in info.arms}
    gaussian = Meaning(of="kernel gaussian of kcl", larger_acts_as="lower temperature", law=(0.5, -1.0))
    assert found == {
        "ntxent": Meaning(
            of="temperature of ntxent", larger_acts_as=TEMPERATURE.larger_acts_as, law=TEMPERATURE.law
        ),
        "kcl": gaussian,
        "imq": Meaning(of="kernel imq of kcl", larger_acts_as="higher temperature"),
        "both, kernel gaussian": gaussian,
        "both, kernel log": Meaning(of="kernel log of kcl", larger_acts_as="lower temperature"),
        "linear": Meaning(of="phi linear of general"),
        "tests.study.own_loss:FailsAtHalf": Meaning(of="margin of tests.study.own_loss:FailsAtHalf"),
    }
    assert {arm.x.meaning for arm in info.arms} == {Meaning()}


def test_the_ranges_of_the_quickstart_match_in_every_place(tmp_path: Path) -> None:
    loaded = load_study("quickstart", str(tmp_path / "store"), None)
    _, info, cells = split_cells(*study_table(loaded.plan, loaded.study_file))
    assert info.reference_arm.label == "infonce"
    found = pair_cells(cells["kcl"], cells["infonce"])
    assert isinstance(found, Pairs)
    assert (len(found.own), found.rule) == (15, "t is paired with temperature by T = 1/(2t)")
    scales, temperatures = cells["kcl"].values("hp_t")[found.own], cells["infonce"].values("hp_temperature")
    assert temperatures[found.other] == pytest.approx(1 / (2 * scales), rel=1e-5)
