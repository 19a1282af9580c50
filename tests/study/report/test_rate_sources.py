"""Where the base rate of a loss comes from, as reports tell it."""

from pathlib import Path

import pytest

from study.loaded import load_study
from study.report.study_table import study_info
from tests.study.conftest import WriteStudy
from tests.study.running import invoke

SOURCE = 'lr_source = "the sweep of this test"\n\n[data]'


def told(study: Path, store: Path) -> dict[str, tuple[str, bool]]:
    loaded = load_study(str(study), str(store), None)
    info = study_info(loaded.plan, loaded.study_file)
    return {arm.label: (arm.lr_source, arm.lr_tuned) for arm in info.arms}


@pytest.mark.parametrize("rate", ["0.2", "[0.2]"])
def test_a_rate_in_the_file_is_tuned_where_the_file_says_how(
    write_study: WriteStudy, tmp_path: Path, rate: str
) -> None:
    own = ("temperature = [0.1, 0.5]", f"temperature = [0.1, 0.5]\nlr = {rate}")
    assert told(write_study(own), tmp_path)["ntxent"] == ("set in the study file", False)
    found = told(write_study(own, ("[data]", SOURCE)), tmp_path)
    assert found["ntxent"] == ("the sweep of this test", True)
    assert "digits_learning_rates" in found["kcl"][0]  # a default rate keeps its source


def test_a_file_does_not_inherit_how_rates_were_tuned(write_study: WriteStudy, tmp_path: Path) -> None:
    base = write_study(
        ("temperature = [0.1, 0.5]", "temperature = [0.1, 0.5]\nlr = 0.2"),
        ("[data]", SOURCE),
        name="base.toml",
    )
    child = tmp_path / "child.toml"
    child.write_text('name = "child"\nextends = "base.toml"\n[training]\nlr_schedule = "constant"\n')
    assert told(base, tmp_path / "store")["ntxent"] == ("the sweep of this test", True)
    assert told(child, tmp_path / "store")["ntxent"] == ("set in the study file", False)
    child.write_text('name = "child"\nlr_source = "its own sweep"\nextends = "base.toml"\n')
    assert told(child, tmp_path / "store")["ntxent"] == ("its own sweep", True)
    grown = tmp_path / "grown.toml"  # more seeds under the same protocol
    result = invoke("extend", base, "--store", tmp_path / "store", "--seeds", "7", "--out", grown)
    assert result.exit_code == 0, result.output
    assert told(grown, tmp_path / "store")["ntxent"] == ("the sweep of this test", True)


def test_a_swept_rate_is_swept(write_study: WriteStudy, tmp_path: Path) -> None:
    own = ("temperature = [0.1, 0.5]", "temperature = [0.1]\nlr = [0.1, 0.2]")
    assert told(write_study(own, ("[data]", SOURCE)), tmp_path)["ntxent"] == ("swept in this study", True)
