"""The data of the explorer are those from which the report is computed."""

import json

import numpy as np

from analysis.explorer import explorer_data, explorer_json
from analysis.metric import Metric
from analysis.statistics.intervals import student_interval
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic
from tests.analysis.conftest import Study

LAST = "infonce-256-4-1"


def test_every_trial_has_its_status_and_value(study: Study) -> None:
    planned, records, info = study
    records = synthetic.fail(records[records["trial_id"] != LAST], ["infonce-16-0-0"])
    findings = analyse(planned, records, info)
    data = json.loads(explorer_json(explorer_data(info, findings.cells)))
    arm, cells = data["arms"][0], findings.cells["infonce"]
    statuses = [data["statuses"][code]["name"] for code in arm["status"]]
    assert (statuses[0], statuses[-1]) == ("diverged", "not run")
    assert set(statuses[1:-1]) == {"finished"}
    values = np.array(arm["values"][0], dtype=float)
    np.testing.assert_allclose(values, 100 * cells.finished_test.ravel(), rtol=5e-6)
    assert arm["values"][0][0] is None
    assert arm["x"]["values"] == ["16", "64", "256"]
    np.testing.assert_allclose(arm["weights"], cells.weights, rtol=5e-6)


def test_metrics_say_how_they_are_read(findings: StudyAnalysis) -> None:
    data = explorer_data(findings.info, findings.cells)
    reported, selecting, rank = data["metrics"]
    assert (reported["label"], reported["unit"], reported["better"], reported["worst"]) == (
        "test accuracy",
        "%",
        1,
        10,
    )
    assert selecting["label"] == "accuracy with 10 labelled images a class, validation"
    assert rank == {
        "column": "z_effective_rank",
        "label": "effective rank, projection z",
        "unit": "dimensions",
        "better": 0,
    }
    assert (data["tolerance"], data["most"], data["level"]) == (2.0, 10.0, 95)


def test_a_metric_of_which_less_is_better_says_so(study: Study) -> None:
    planned, records, info = study
    records = records.assign(gap=1 - records["test_probe10_accuracy"])
    metric = Metric(
        name="gap",
        worst=1.0,
        selects="gap",
        reports="gap",
        higher_is_better=False,
        factor=1.0,
        unit="",
        digits=3,
    )
    info = synthetic.study_info(info.arms, metric=metric)
    first = explorer_data(info, analyse(planned, records, info).cells)["metrics"][0]
    assert (first["better"], first["worst"], first["digits"], first["low"]) == (-1, 1.0, 3, 0.0)


def test_the_page_can_build_the_interval(findings: StudyAnalysis) -> None:
    values = findings.cells["kcl"].finished_test[3]
    factor = explorer_data(findings.info, findings.cells)["student"][len(values)]
    half = factor * values.std(ddof=1) / np.sqrt(len(values))
    mean, low, high = student_interval(values)
    np.testing.assert_allclose((mean - half, mean + half), (low, high), rtol=1e-6)


def test_the_same_rows_give_the_same_bytes(study: Study) -> None:
    planned, records, info = study
    texts = {
        explorer_json(explorer_data(info, analyse(planned, rows, info).cells))
        for rows in (records, records.sample(frac=1, random_state=0))
    }
    assert len(texts) == 1


def test_no_name_can_end_the_script(study: Study) -> None:
    planned, records, info = study
    arms = [synthetic.arm_info("infonce", title="</script><script>alert(1)</script>"), *info.arms[1:]]
    info = synthetic.study_info(arms)
    text = explorer_json(explorer_data(info, analyse(planned, records, info).cells))
    assert not set("<>&") & set(text)
    assert json.loads(text)["arms"][0]["name"] == arms[0].title


def test_metrics_beyond_the_size_are_named_and_left_out(findings: StudyAnalysis) -> None:
    whole = explorer_data(findings.info, findings.cells)
    one = len(json.dumps([arm["values"][0] for arm in whole["arms"]]))
    data = explorer_data(findings.info, findings.cells, most=int(2.2 * one))
    assert [metric["column"] for metric in data["metrics"]] == [
        "test_probe10_accuracy",
        "val_probe10_accuracy",
    ]
    assert data["omitted"] == ["z_effective_rank"]
    assert {len(arm["values"]) for arm in data["arms"]} == {2}
    assert explorer_data(findings.info, findings.cells, most=10) is None


def test_no_surface_no_explorer(study: Study) -> None:
    planned, records, info = study
    info = synthetic.study_info(info.arms, drawn=True)
    assert (
        explorer_data(info, analyse(planned, records, info).cells) is not None
    )  # their places happen to be a grid
    drawn = planned[planned["config_id"].str.endswith(("16-0", "64-1", "256-2"))]
    assert explorer_data(info, analyse(drawn, records, info).cells) is None
