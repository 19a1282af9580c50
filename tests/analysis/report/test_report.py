"""A report is complete, self-contained, the same for the same rows, and whole or not written."""

import dataclasses
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from analysis.model.metric import Metric
from analysis.report.plots import draw
from analysis.report.sections.space.scores import scores_section
from analysis.report.write import write_report
from analysis.study_analysis import StudyAnalysis
from tests.analysis import synthetic
from tests.analysis.conftest import SURFACES, Study, make_study
from tests.analysis.report.pages import Links, files

TABLES = {
    "tuning_gaps",
    "failure_rates",
    "failure_costs",
    "cells",
    "coverage",
    "decisions",
    "differences",
    "differences_by_loss",
    "failures",
    "good_space",
    "hyperparameters",
    "metric_correlations",
    "profiles",
    "range_stability",
    "scores",
    "steps",
    "transfer_batch_size",
    "transfer_loss",
    "trials",
    "verdict",
    "tuning_curves",
}
#: Figures that are also drawn for one column of a paper.
FOR_PAPERS = {"verdict", "surfaces", "profiles", "difference_maps"}
FIGURES = {
    "verdict",
    "difference_maps",
    "profiles",
    "tuning_curves",
    "robustness",
    "surfaces",
    "by_batch_size",
    "by_main_axis",
    "effective_rank",
    "transfer_batch_size",
    "transfer_loss",
}


def page(study: Study, out: Path) -> str:
    return write_report(*study, out).read_text()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report, for tests that only read it."""
    return write_report(*make_study(), tmp_path_factory.mktemp("report")).parent


def test_the_report_is_complete_and_self_contained(written: Path) -> None:
    html = (written / "report.html").read_text()
    assert set(files(written)) == (
        {"report.html", "report.md"}
        | {f"figures/{name}.{kind}" for name in FIGURES for kind in ("png", "svg", "pdf")}
        | {f"figures/{name}_column.{kind}" for name in FOR_PAPERS for kind in ("png", "svg", "pdf")}
        | {f"tables/{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")}
        | {f"tables/{name}.tex" for name in ("verdict", "scores", "differences", "good_space", "tuning")}
    )
    links = Links()
    links.feed(html)
    assert links.open == []
    assert all(source.startswith(("data:", "#")) for source in links.sources)
    assert len([source for source in links.sources if source.startswith("data:image/svg")]) == len(FIGURES)
    targets = {source[1:] for source in links.sources if source.startswith("#")}
    assert targets <= set(re.findall(r'id="(\w+)"', html))


def test_tables_read_back(written: Path) -> None:
    for name in TABLES:
        text = pd.read_csv(written / f"tables/{name}.csv")
        assert list(pd.read_parquet(written / f"tables/{name}.parquet")) == list(text)
    assert len(pd.read_parquet(written / "tables/trials.parquet")) == 90


@pytest.mark.slow
def test_the_same_rows_give_the_same_bytes(study: Study, written: Path, tmp_path: Path) -> None:
    planned, records, info = study
    write_report(planned, records.sample(frac=1, random_state=0), info, tmp_path)
    assert files(tmp_path) == files(written)


def test_the_user_s_own_matplotlib_settings_change_nothing(
    findings: StudyAnalysis, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(mpl.rcParams, "font.size", 30.0)
    monkeypatch.setitem(mpl.rcParams, "axes.grid", True)
    figures = scores_section(findings).figures
    drawn = draw.draw_figures({"robustness": figures["robustness"]})["robustness"]
    assert drawn.png == (written / "figures/robustness.png").read_bytes()


@pytest.mark.slow
def test_texts_from_outside_are_escaped_and_paths_are_cut(study: Study, tmp_path: Path) -> None:
    planned, records, info = study
    records = synthetic.fail(records, ["kcl-16-0-0"], status="crashed")
    records.loc[records["status"] == "crashed", "error_message"] = "<b>no</b> /home/someone/data/x.bin"
    spec = 'name = "s"\nroot = "/home/someone/data"\n'
    records = records.assign(node="myhost", data="parquet:/home/someone/cats", encoder="small_conv")
    info = synthetic.study_info(info.arms, spec_text=spec, data="cats from /home/someone/cats")
    html = page((planned, records, info), tmp_path)
    assert "&lt;b&gt;no&lt;/b&gt; …/x.bin" in html
    everything = b"".join(files(tmp_path).values())
    assert b"someone" not in everything
    assert b"myhost" not in everything


def test_nothing_is_written_for_bad_input(study: Study, tmp_path: Path) -> None:
    planned, records, info = study
    unknown = Metric(name="smell", worst=0.1)
    bad = [
        (planned[planned["arm"] != "kcl"], records, info, "planned: got arms"),
        (planned.drop(columns="arm"), records, info, "planned: column 'arm'"),
        (planned, records, dataclasses.replace(info, metric=unknown), "metric: got 'test_smell'"),
        (planned, pd.concat([records, records]), info, "stands there twice"),
    ]
    for *arguments, message in bad:
        with pytest.raises(ValueError, match=message):
            write_report(*arguments, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def zero_records(study: Study) -> Study:
    return study[0], pd.DataFrame(), study[2]


def one_seed(study: Study) -> Study:
    return study[0][study[0]["seed"] == 0], study[1], study[2]


def one_arm(study: Study) -> Study:
    planned, records, info = study
    return planned[planned["arm"] == "kcl"], records, synthetic.study_info([info.arm("kcl")])


def one_value_a_axis(study: Study) -> Study:
    planned, records, info = study
    kept = planned["config_id"].isin([f"{arm.label}-64-2" for arm in info.arms])
    return planned[kept], records, info


def all_failed(study: Study) -> Study:
    return study[0], synthetic.fail(study[1], list(study[1]["trial_id"])), study[2]


def nan_scores(study: Study) -> Study:
    records = study[1].copy()
    records.loc[::2, "test_probe10_accuracy"] = np.nan
    records.loc[::3, "val_probe10_accuracy"] = np.inf
    return study[0], records, study[2]


def half_finished(study: Study) -> Study:
    return study[0], study[1].sample(frac=0.5, random_state=0), study[2]


def many_values(study: Study) -> Study:
    arms = [study[2].arm("infonce")]
    planned = synthetic.plan(
        arms, batch_sizes=[2**k for k in range(3, 13)], values=np.geomspace(0.05, 2, 12).tolist()
    )
    return planned, synthetic.run(planned, {"infonce": SURFACES["infonce"]}), synthetic.study_info(arms)


def one_value_in_one_arm(study: Study) -> Study:
    planned, records, info = study
    return planned[(planned["arm"] != "kcl") | planned["config_id"].str.endswith("-2")], records, info


def many_parts(study: Study) -> Study:
    """Two losses in four parts each, by words and by numbers that no record holds."""
    arms = [study[2].arm("infonce"), study[2].arm("kcl")]
    base = synthetic.plan(arms, seeds=(0,), batch_sizes=(16, 64), values=(0.1, 0.5))
    cut = [("a", "imq", 0.0), ("a", "gaussian_riesz", 0.5), ("b", "imq", 0.9), ("b", "gaussian_riesz", 0.9)]
    parts = [
        base.assign(hp_form=f, hp_kernel=k, hp_momentum=m, trial_id=base["trial_id"] + f"{f}{k}{m}")
        for f, k, m in cut
    ]
    planned = pd.concat(parts, ignore_index=True)
    records = synthetic.run(planned, {arm.label: SURFACES[arm.label] for arm in arms})
    swept = [name for name in records.columns if name.startswith("hp_")]
    return planned, records.drop(columns=swept), synthetic.study_info(arms, seeds=(0,))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (zero_records, "Nothing can be said yet: none of the 90 planned trials has a result."),
        (one_seed, "three seeds are needed"),
        (one_arm, "There is one loss only"),
        (one_value_a_axis, "1 configuration a loss"),
        (all_failed, "No trial ended with a score, so no loss can be judged."),
        (nan_scores, "no score"),
        (half_finished, "Provisional: 45 of 90 planned trials have no result yet"),
        (one_value_in_one_arm, "KCL 1 value"),
        (many_parts, "KCL, form b, kernel gaussian_riesz, momentum 0.9"),
        (many_values, "240 trials, none failed"),
    ],
)
@pytest.mark.slow
def test_corners_have_a_report_that_says_so(make: object, told: str, study: Study, tmp_path: Path) -> None:
    html = page(make(study), tmp_path)
    assert told in html
    assert not re.search(r"\bnan\b", re.sub(r'src="[^"]*"', "", html).replace("loss is nan at", ""))
    assert ">inf<" not in html
