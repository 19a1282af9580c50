"""The data of the explorer are those from which the report is computed."""

import base64
import json
import zlib

import numpy as np

from analysis.model.metric import Metric
from analysis.report.explorer import explorer_data, explorer_json
from analysis.statistics.intervals.student import student_interval
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic
from tests.analysis.conftest import Study
from tests.analysis.report.unpacking import unpack_numbers

LAST = "infonce-256-4-1"


def test_every_cell_has_its_values_and_counts(study: Study) -> None:
    planned, records, info = study
    records = synthetic.fail(records[records["trial_id"] != LAST], ["infonce-16-0-0"])
    findings = analyse(planned, records, info)
    data = json.loads(explorer_json(explorer_data(info, findings.cells)))
    arm, cells = data["arms"][0], findings.cells["infonce"]
    told = {name: np.array(each, dtype=float) for name, each in arm["values"][0].items() if each}
    mean, low, high = student_interval(100 * cells.finished_test)
    np.testing.assert_allclose(told["mean"], mean, rtol=5e-8)
    np.testing.assert_allclose(told["half"], (high - low) / 2, rtol=5e-8)
    assert arm["values"][0]["half"][0] is None  # one seed is left
    assert arm["values"][0]["known"] is None  # every finished trial has a value
    assert arm["counts"] == {
        "failed": [1, *[0] * 14],
        "missing": [*[0] * 14, 1],
        "ok": [1, *[2] * 13, 1],
    }
    assert arm["x"]["values"] == ["16", "64", "256"]
    np.testing.assert_allclose(arm["weights"], cells.weights, rtol=5e-8)


def test_every_trial_is_packed_with_its_status_and_values(study: Study) -> None:
    planned, records, info = study
    records = synthetic.fail(records[records["trial_id"] != LAST], ["infonce-16-0-0"])
    findings = analyse(planned, records, info)
    data = explorer_data(info, findings.cells)
    codes = zlib.decompress(base64.b64decode(data["trials"]["status"]))
    statuses = [data["statuses"][code]["name"] for code in codes]
    assert (statuses[0], statuses[29]) == ("diverged", "not run")
    assert set(statuses) - {statuses[0], statuses[29]} == {"finished"}
    assert [name for name in statuses if name != "finished"] == ["diverged", "not run"]
    for metric, packed in zip(data["metrics"], data["trials"]["values"], strict=True):
        factor = 100 if metric["unit"] == "%" else 1
        raw = [item.raw[metric["column"]].ravel() for item in findings.cells.values()]
        np.testing.assert_allclose(unpack_numbers(packed), factor * np.concatenate(raw), rtol=5e-6)
    assert np.isnan(unpack_numbers(data["trials"]["values"][0])[[0, 29]]).all()


def test_a_cell_says_how_many_finished_trials_have_a_value(study: Study) -> None:
    planned, records, info = study
    records.loc[0, "z_effective_rank"] = np.nan
    data = explorer_data(info, analyse(planned, records, info).cells)
    assert data["metrics"][2]["column"] == "z_effective_rank"
    assert data["arms"][0]["values"][2]["known"] == [1, *[2] * 14]


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
    one = len(json.dumps([arm["values"][0] for arm in whole["arms"]], separators=(",", ":")))
    data = explorer_data(findings.info, findings.cells, most=int(2.2 * one))
    assert [metric["column"] for metric in data["metrics"]] == [
        "test_probe10_accuracy",
        "val_probe10_accuracy",
    ]
    assert data["omitted"] == ["z_effective_rank"]
    assert {len(arm["values"]) for arm in data["arms"]} == {2}
    assert explorer_data(findings.info, findings.cells, most=10) is None


def test_the_first_metrics_have_their_trials_too_where_they_fit(findings: StudyAnalysis) -> None:
    whole = explorer_data(findings.info, findings.cells)
    cells = sum(
        len(json.dumps([arm["values"][place] for arm in whole["arms"]], separators=(",", ":")))
        for place in range(3)
    )
    packed = whole["trials"]["values"]
    assert None not in packed
    most = cells + len(packed[0]) + len(packed[1]) // 2
    data = explorer_data(findings.info, findings.cells, most=most)
    assert data["metrics"] == whole["metrics"]
    assert data["arms"] == whole["arms"]
    assert data["trials"]["values"] == [packed[0], None, None]
    assert data["trials"]["status"] == whole["trials"]["status"]


def test_no_surface_no_explorer(study: Study) -> None:
    planned, records, info = study
    info = synthetic.study_info(info.arms, drawn=True)
    assert (
        explorer_data(info, analyse(planned, records, info).cells) is not None
    )  # their places happen to be a grid
    drawn = planned[planned["config_id"].str.endswith(("16-0", "64-1", "256-2"))]
    assert explorer_data(info, analyse(drawn, records, info).cells) is None
