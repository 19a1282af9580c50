"""The section on differences pairs places by temperature, and gives incomplete losses no interval."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from analysis.model.info import BATCH_SIZE, AxisInfo, StudyInfo
from analysis.model.meaning import LOWER_TEMPERATURE, TEMPERATURE, Meaning
from analysis.report.sections.space.differences import differences_section
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

SEEDS = tuple(range(5))
LABELS = ("infonce", "a", "b", "c")


def findings(absent: Sequence[str] = (), **changes: object) -> StudyAnalysis:
    """Four arms of one surface; without the trials `absent`."""
    arms = [synthetic.arm_info(label) for label in LABELS]
    planned = synthetic.plan(arms, seeds=SEEDS)
    hill = synthetic.hill(peak=0.9, at=0.3, width=8.0)
    rng = np.random.default_rng(0)
    records = synthetic.run(planned, dict.fromkeys(LABELS, hill), noise=0.03, rng=rng)
    info = synthetic.study_info(arms, seeds=SEEDS, **changes)
    return analyse(planned, records[~records["trial_id"].isin(absent)], info)


def drawn() -> tuple[pd.DataFrame, pd.DataFrame, StudyInfo]:
    arms = [synthetic.arm_info(label) for label in LABELS[:2]]
    planned = synthetic.plan(arms, seeds=SEEDS, batch_sizes=(64,))
    records = synthetic.run(planned, dict.fromkeys(LABELS[:2], synthetic.hill(peak=0.9, at=0.3, width=8.0)))
    return planned, records, synthetic.study_info(arms, seeds=SEEDS, drawn=True)


def by_loss(found: StudyAnalysis) -> tuple[pd.DataFrame, list[list[str]]]:
    content = differences_section(found)
    assert content is not None
    below = [[cell.below for cell in row] for row in content.tables[0].rows]
    return content.data["differences_by_loss"].set_index("arm"), below


def test_complete_losses_have_intervals_and_no_verdicts_beside_the_decisions() -> None:
    table, below = by_loss(findings())
    assert table.index.tolist() == ["a", "b", "c"]
    assert np.isfinite(table["probability_of_improvement_low"]).all()
    assert not [name for name in table if "equivalence" in name or "verdict" in name]
    assert not any(text == "trials missing" for row in below for text in row)


def test_a_loss_with_missing_trials_gets_no_interval() -> None:
    table, below = by_loss(findings(absent=["a-16-0-0"]))
    assert np.isnan(table["probability_of_improvement_low"]).tolist() == [True, False, False]
    assert below[0][3:] == ["trials missing"] * 2
    assert "trials missing" not in below[1]


def test_a_reference_with_missing_trials_leaves_all_open() -> None:
    table, below = by_loss(findings(absent=["infonce-16-0-0"]))
    assert table["probability_of_improvement_low"].isna().all()
    assert [row[3:] for row in below] == [["trials missing"] * 2] * 3


def test_a_repeat_of_a_null_control_has_no_map() -> None:
    content = differences_section(findings(null_controls=(("a", "c"),)))
    assert content is not None
    assert content.data["differences_by_loss"]["arm"].tolist() == ["a", "b"]
    assert set(content.data["differences"]["arm"]) == {"a", "b"}


def test_drawn_places_have_no_map() -> None:
    """Here, drawn temperatures at one batch size look like a grid."""
    found = analyse(*drawn())
    assert found.cells["a"].shape == (1, 5)
    assert differences_section(found) is None


def test_the_level_and_the_unit_of_intervals_are_told() -> None:
    content = differences_section(findings())
    assert content is not None
    assert "95 %, over seeds, for these configurations" in content.lead


GAUSSIAN = Meaning(of="kernel gaussian of kcl", larger_acts_as=LOWER_TEMPERATURE, law=(0.5, -1.0))
IMQ = Meaning(of="kernel imq of kcl", larger_acts_as="higher temperature")


def kernels(*meanings: Meaning) -> StudyAnalysis:
    """InfoNCE, whose best temperature is 1, and losses whose `t` scores one point less at T = 1/(2t).

    Place by place, a low temperature would meet a high one.
    """
    temperature = AxisInfo(name="hp_temperature", label="temperature", meaning=TEMPERATURE)
    arms = [synthetic.arm_info("infonce", axes=(BATCH_SIZE, temperature))]
    for number, meaning in enumerate(meanings):
        scale = AxisInfo(name="hp_t", label="kernel scale t", meaning=meaning)
        arms.append(synthetic.arm_info(f"kcl{number}", axes=(BATCH_SIZE, scale)))
    planned = synthetic.plan(arms, seeds=SEEDS)
    scales = dict(
        zip(synthetic.TEMPERATURES, (1 / (2 * t) for t in synthetic.KERNEL_SCALES[::-1]), strict=True)
    )
    planned["hp_temperature"] = planned["hp_temperature"].map(scales)
    hill = synthetic.hill(peak=0.9, at=1.0, width=6.0)
    surfaces = {arm.label: lambda x, y: hill(x, 1 / (2 * y)) - 0.01 for arm in arms[1:]}
    records = synthetic.run(planned, {"infonce": hill, **surfaces})
    return analyse(planned, records, synthetic.study_info(arms, seeds=SEEDS))


def test_a_kernel_is_worse_by_one_point_everywhere_at_equal_temperature() -> None:
    """By place, it would be better in 40 % of the space: where InfoNCE has its lowest temperatures."""
    found = kernels(GAUSSIAN)
    content = differences_section(found)
    assert content is not None
    places = content.data["differences"]
    assert places["difference"].to_numpy() == pytest.approx(np.full(15, -0.01))
    assert places["reference_main_axis_value"].to_numpy() == pytest.approx(
        1 / (2 * places["main_axis_value"].to_numpy())
    )
    row = content.data["differences_by_loss"].iloc[0]
    assert row["share_reversed"] == 0
    assert row["probability_of_improvement"] == 0
    by_place = found.cells["kcl0"].test - found.cells["infonce"].test
    assert (by_place.mean(axis=1) > 0).mean() == pytest.approx(0.4)
    assert "kcl0’s t is paired with temperature by T = 1/(2t)." in content.lead
    caption = content.figures["difference_maps"].caption
    assert "its values fall upwards" in caption


def test_the_map_has_its_rows_by_temperature_and_its_own_labels() -> None:
    content = differences_section(kernels(GAUSSIAN))
    assert content is not None
    figure = content.figures["difference_maps"].build()
    assert figure is not None
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["16", "5.66", "2", "0.707", "0.25"]
    assert ax.get_ylabel() == "kernel scale t"


def test_a_kernel_without_an_equivalent_temperature_has_no_map() -> None:
    found = kernels(GAUSSIAN, IMQ)
    content = differences_section(found)
    assert content is not None
    assert content.sentences == ("No map of kcl1: kernel imq of kcl has no equivalent temperature.",)
    assert content.data["differences_by_loss"]["arm"].tolist() == ["kcl0"]
    assert found.decisions is not None
    assert {item.loss for item in found.decisions.items} == {"kcl0", "kcl1"}
    assert [row[0].text for row in content.tables[0].rows] == ["kcl0"]
    assert set(content.data["differences"]["arm"]) == {"kcl0"}
    alone = differences_section(kernels(IMQ))
    assert alone is not None
    assert (len(alone.sentences), alone.figures, alone.tables) == (1, {}, ())


def test_a_loss_on_other_seeds_has_no_map() -> None:
    arms = [synthetic.arm_info(label) for label in ("infonce", "a")]
    planned = synthetic.plan(arms, seeds=SEEDS)
    planned = planned[(planned["arm"] == "a") | (planned["seed"] > 0)]
    hill = synthetic.hill(peak=0.9, at=0.3, width=8.0)
    records = synthetic.run(planned, {"infonce": hill, "a": hill})
    content = differences_section(analyse(planned, records, synthetic.study_info(arms, seeds=SEEDS)))
    assert content is not None
    assert content.sentences == ("No map of a: it ran on other seeds.",)
