"""Imported arms are split along axes that tell trials apart, whatever the order of rows, and can be joined."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis.model.arms import split_arms
from analysis.model.info import AxisInfo
from analysis.model.table import build_table
from analysis.statistics.comparisons.loss_values import TUNED
from analysis.study_analysis import analyse
from tests.analysis import synthetic

HILL = synthetic.hill(peak=0.9, at=0.3, width=5.0)


def planned_with(column: str, values: list, labels: list[str]) -> pd.DataFrame:
    """Every trial of the grid at every value of a further column."""
    base = synthetic.plan([synthetic.arm_info(label) for label in labels], values=[0.1, 0.5])
    parts = [base.assign(**{column: value, "trial_id": base["trial_id"] + f"/{value}"}) for value in values]
    return pd.concat(parts, ignore_index=True)


def test_arms_of_one_trial_a_cell_stay() -> None:
    arms = [synthetic.arm_info("infonce")]
    table = build_table(synthetic.plan(arms), pd.DataFrame())
    same, info = split_arms(table, synthetic.study_info(arms))
    pd.testing.assert_frame_equal(same, table)
    assert info.arms == tuple(arms)


@pytest.mark.parametrize("imported", [True, False])
def test_the_parts_of_an_imported_arm_do_not_hang_on_the_order_of_rows(imported: bool) -> None:
    """The first part may be the reference. A study's own order is kept: it is that of its file."""
    planned = planned_with("hp_lr", [0.3, 0.1], ["infonce"])
    info = dataclasses.replace(synthetic.study_info([synthetic.arm_info("infonce")]), imported=imported)
    _, found = split_arms(build_table(planned, pd.DataFrame()), info)
    assert [arm.base_lr for arm in found.arms] == ([0.1, 0.3] if imported else [0.3, 0.1])


def test_a_further_axis_splits_an_arm() -> None:
    planned = planned_with("hp_lr", [0.1, 0.3], ["infonce"])
    table, info = split_arms(
        build_table(planned, pd.DataFrame()), synthetic.study_info([synthetic.arm_info("infonce")])
    )
    assert [arm.label for arm in info.arms] == ["infonce, lr 0.1", "infonce, lr 0.3"]
    assert [arm.base_lr for arm in info.arms] == [0.1, 0.3]
    assert table["arm"].value_counts().tolist() == [12, 12]
    assert info.reference_arm.label == "infonce, lr 0.1"


def test_every_part_has_the_measure_of_its_case() -> None:
    planned = planned_with("hp_kernel", ["gaussian", "log"], ["kcl"])
    plain = synthetic.arm_info("kcl")
    main = dataclasses.replace(plain.main, cases=("hp_kernel", {"gaussian": "log", "log": "linear"}))
    arm = dataclasses.replace(plain, axes=(plain.x, main))
    _, info = split_arms(build_table(planned, pd.DataFrame()), synthetic.study_info([arm]))
    assert {part.label: part.main.measure for part in info.arms} == {
        "kcl, kernel gaussian": "log",
        "kcl, kernel log": "linear",
    }
    assert [part.whole_label for part in info.arms] == ["kcl", "kcl"]


def test_null_controls_follow_the_split() -> None:
    labels = ["dcl", "flatnce"]
    planned = planned_with("hp_gamma", [4, 16], labels)
    info = synthetic.study_info(
        [synthetic.arm_info(label) for label in labels], null_controls=(("flatnce", "dcl"),)
    )
    _, split = split_arms(build_table(planned, pd.DataFrame()), info)
    assert split.null_controls == (
        ("flatnce, gamma 4", "dcl, gamma 4"),
        ("flatnce, gamma 16", "dcl, gamma 16"),
    )


def test_a_split_study_is_analysed() -> None:
    planned = planned_with("hp_lr", [0.1, 0.3], ["infonce"])
    records = synthetic.run(planned, {"infonce": HILL})
    findings = analyse(planned, records, synthetic.study_info([synthetic.arm_info("infonce")]))
    assert list(findings.summaries) == ["infonce, lr 0.1", "infonce, lr 0.3"]
    assert findings.parts == {"infonce": ["infonce, lr 0.1", "infonce, lr 0.3"]}
    assert findings.decisions is not None
    assert findings.decisions.items == ()  # variants of one loss are not compared
    one, other = findings.summaries.values()
    assert one.tuned.estimate.value == pytest.approx(other.tuned.estimate.value)
    assert one.tuned.estimate.value == pytest.approx(findings.decisions.values["infonce"][TUNED].value)


def test_words_split_an_arm_and_empty_values_have_none() -> None:
    planned = planned_with("hp_kernel", ["gaussian", "imq", None], ["infonce"])
    table, info = split_arms(
        build_table(planned, pd.DataFrame()), synthetic.study_info([synthetic.arm_info("infonce")])
    )
    assert [arm.label for arm in info.arms] == ["infonce, kernel gaussian", "infonce, kernel imq", "infonce"]
    assert table["arm"].value_counts().tolist() == [12, 12, 12]


def test_the_parts_of_an_arm_join_to_the_whole() -> None:
    planned = planned_with("hp_gamma", [4, 16], ["kcl"])
    records = synthetic.run(planned, {"kcl": HILL})
    findings = analyse(planned, records, synthetic.study_info([synthetic.arm_info("kcl")]))
    whole, parts = findings.wholes["kcl"], list(findings.cells.values())
    assert [axis.name for axis in whole.axes] == ["hp_batch_size", "hp_temperature", "hp_gamma"]
    assert whole.shape == (3, 2, 2)
    assert whole.weights.sum() == pytest.approx(1)
    for index, part in enumerate(parts):
        np.testing.assert_array_equal(whole.on_grid(whole.test)[:, :, index], part.on_grid(part.test))


#: Columns that records alone tell, of `half`: one value for all, and one that goes with a planned one.
TOLD = {"hp_optimizer": "sgd", "hp_precision": "float32"}


def half(planned: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Every other record, with what a store tells beyond the plan."""
    pool = planned["hp_selection"].map({"full": np.nan, "osgd": 8.0}).to_numpy()
    return records.assign(**TOLD, hp_pool=pool).iloc[::2]


def test_what_records_alone_tell_is_no_axis_of_a_half_finished_study() -> None:
    labels = ["dcl", "flatnce"]
    planned = planned_with("hp_selection", ["full", "osgd"], labels)
    records = synthetic.run(planned, dict.fromkeys(labels, HILL))
    info = synthetic.study_info(
        [synthetic.arm_info(label) for label in labels], null_controls=(("flatnce", "dcl"),)
    )
    complete, open_ = analyse(planned, records, info), analyse(planned, half(planned, records), info)
    assert list(open_.cells) == list(complete.cells)
    assert "dcl, selection osgd" in open_.cells
    assert {label: cells.shape for label, cells in open_.cells.items()} == dict.fromkeys(
        complete.cells, (3, 2)
    )
    for label, summary in open_.summaries.items():
        assert summary.default.place == complete.summaries[label].default.place
    assert all(control.trials > 0 for control in open_.null_controls)
    assert {cells.missing.sum() for cells in open_.cells.values()} == {6}


def test_a_column_that_alone_tells_trials_apart_is_an_axis_even_where_it_is_empty() -> None:
    planned = planned_with("hp_gamma", [4.0, None], ["kcl"])
    records = synthetic.run(planned, {"kcl": HILL})
    findings = analyse(
        planned, records[planned["hp_gamma"].notna()], synthetic.study_info([synthetic.arm_info("kcl")])
    )
    assert list(findings.cells) == ["kcl, gamma 4", "kcl"]
    assert findings.cells["kcl"].missing.all()


def test_a_declared_axis_stays_one_where_open_trials_have_none() -> None:
    planned = synthetic.plan([synthetic.arm_info("kcl")])
    planned["hp_gamma"] = np.where(planned["hp_batch_size"] == 16, np.nan, planned["hp_batch_size"] / 4)
    plain = synthetic.arm_info("kcl")
    arm = dataclasses.replace(plain, axes=(*plain.axes, AxisInfo(name="hp_gamma")))
    records = synthetic.run(planned, {"kcl": HILL})[planned["hp_gamma"].notna()]
    findings = analyse(planned, records, synthetic.study_info([arm], drawn=True))
    assert "hp_gamma" in findings.cells["kcl"].place(0)


def test_drawn_places_stay_together_over_all_their_axes() -> None:
    planned = synthetic.plan([synthetic.arm_info("kcl")], values=[0.1, 0.5, 0.7])
    planned["hp_gamma"] = planned["config_id"].astype("category").cat.codes + 1.0
    records = synthetic.run(planned, {"kcl": HILL})
    info = synthetic.study_info([synthetic.arm_info("kcl")], drawn=True)
    findings = analyse(planned, records, info)
    cells = findings.cells["kcl"]
    assert cells.shape is None
    assert len(cells.codes) == 9
    np.testing.assert_allclose(cells.weights, 1 / 9)
    assert not findings.surfaces
    assert set(findings.summaries["kcl"].tuned.place) == {"hp_batch_size", "hp_temperature", "hp_gamma"}
