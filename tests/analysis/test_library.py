"""The public functions of the analysis work from rows to a report, and load only when used."""

import subprocess
import sys
from pathlib import Path

import pytest

import analysis
from tests.analysis.tables.example_table import KEYS, ROWS


def test_rows_to_scores_comparisons_and_a_report(tmp_path: Path) -> None:
    scores = analysis.robustness(ROWS, **KEYS).set_index("arm")
    assert scores.loc["dhel", "tuned"] == pytest.approx(0.78)
    decisions = analysis.compare(ROWS, **KEYS, reference="dhel").set_index("question")
    assert decisions.loc["tuned", "difference"] == pytest.approx(-0.1)
    assert decisions.loc["average", "difference"] == pytest.approx(-0.1)
    assert set(decisions["verdict"]) <= {"better", "worse", "equal", "open", "withheld"}
    assert analysis.recommend(ROWS, **KEYS)["loss"].tolist()[0] == "dhel"
    assert analysis.write_table_report(ROWS, tmp_path, **KEYS).read_text().startswith("<!doctype html>")


def test_every_name_of_the_face_is_there() -> None:
    for name in analysis.__all__:
        assert callable(getattr(analysis, name))
    assert set(analysis.__all__) <= set(dir(analysis))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        analysis.nothing  # noqa: B018


def test_the_face_costs_nothing_until_it_is_used() -> None:
    code = "import sys, analysis; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
