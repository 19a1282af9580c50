"""Null controls coincide where losses are equal, find a shift, and judge only arms that can be compared."""

import numpy as np
import pandas as pd
import pytest

from analysis.fairness.checks import check_fairness
from analysis.model.info import BATCH_SIZE, AxisInfo
from analysis.report.verdict_null_control import null_control_sentence
from analysis.statistics.comparisons.null_control import NullControl, check_null_control
from analysis.study_analysis import analyse
from tests.analysis import synthetic

HILL = synthetic.hill(peak=0.9, at=0.3, width=8.0)
SEEDS = (0, 1, 2)


def check(records: pd.DataFrame, *, flatnce_lr: float = 0.1) -> tuple[NullControl, str]:
    arms = [synthetic.arm_info("dcl"), synthetic.arm_info("flatnce", base_lr=flatnce_lr)]
    info = synthetic.study_info(arms, seeds=SEEDS, null_controls=(("flatnce", "dcl"), ("dcl", "absent")))
    findings = analyse(synthetic.plan(arms, seeds=SEEDS), records, info)
    (control,) = findings.null_controls
    return control, null_control_sentence(findings, control)


def run(*, shift: float = 0.0, jitter: float = 0.0, noise: float = 0.01) -> pd.DataFrame:
    """DCL with seed noise; FlatNCE the same to the bit, but for a shift and a jitter of its own."""
    planned = synthetic.plan([synthetic.arm_info("dcl"), synthetic.arm_info("flatnce")], seeds=SEEDS)
    records = synthetic.run(
        planned, {"dcl": HILL, "flatnce": HILL}, noise=noise, rng=np.random.default_rng(0)
    )
    is_flat = records["trial_id"].str.startswith("flatnce").to_numpy()
    own = shift + jitter * np.random.default_rng(1).normal(size=is_flat.sum())
    for column in ("test_probe10_accuracy", "val_probe10_accuracy"):
        records.loc[is_flat, column] = records.loc[~is_flat, column].to_numpy() + own
    return records


def test_equal_arms_coincide() -> None:
    control, sentence = check(run())
    assert control.verdict == "no difference"
    assert control.identical == control.trials == 45
    assert control.largest == control.largest_cell == control.rms == 0
    assert control.p == 1
    assert "their scores are equal in all 45 pairs" in sentence


def test_rounding_is_no_difference_and_its_size_is_told() -> None:
    control, sentence = check(run(jitter=0.001))
    assert control.verdict == "no difference"
    assert 0 < control.rms < control.seed_noise
    assert control.largest_cell <= control.largest
    assert control.rms == pytest.approx(0.001, rel=0.3)
    assert "No difference beyond chance" in sentence


def test_a_shift_is_found() -> None:
    control, sentence = check(run(shift=0.05, jitter=0.001))
    assert control.verdict == "different"
    assert control.largest == pytest.approx(0.05, abs=0.005)
    assert "look for an error" in sentence


def test_the_distance_of_unrelated_arms_is_the_seed_noise() -> None:
    planned = synthetic.plan([synthetic.arm_info("dcl"), synthetic.arm_info("flatnce")], seeds=SEEDS)
    rng = np.random.default_rng(5)
    control, _ = check(synthetic.run(planned, {"dcl": HILL, "flatnce": HILL}, noise=0.01, rng=rng))
    assert control.rms == pytest.approx(control.seed_noise, rel=0.35)


def test_a_failure_of_one_of_the_two_is_told() -> None:
    control, sentence = check(synthetic.fail(run(), ["flatnce-16-0-0"]))
    assert control.one_failed == 1
    assert control.trials == 44
    assert "only one of the two failed" in sentence


def test_other_learning_rates_are_not_comparable() -> None:
    control, sentence = check(run(), flatnce_lr=0.3)
    assert control.verdict == "not comparable"
    assert "this check is open" in sentence


def test_no_rows_are_not_comparable() -> None:
    assert check(pd.DataFrame())[0].verdict == "not comparable"


def several(**changes: object) -> list[NullControl]:
    """FlatNCE against two DCL arms, the second changed."""
    arms = [
        synthetic.arm_info("flatnce"),
        synthetic.arm_info("dcl_a", loss="dcl"),
        synthetic.arm_info("dcl_b", loss="dcl", **changes),
    ]
    planned = synthetic.plan(arms, seeds=SEEDS)
    for arm in arms:
        planned[arm.main_axis] = planned[arm.main_axis].fillna(0.5)
    records = synthetic.run(planned.drop(columns="hp_lr", errors="ignore"), {arm.label: HILL for arm in arms})
    pairs = (("flatnce", "dcl_a"), ("flatnce", "dcl_b"))
    info = synthetic.study_info(arms, seeds=SEEDS, null_controls=pairs)
    findings = analyse(planned, records, info)
    levels = {card.title: card.level for card in check_fairness(findings)}
    assert levels["Null control"] == "pass"
    return list(findings.null_controls)


def test_what_repeats_a_loss_is_compared_with_nothing_else() -> None:
    """Every decision on the other loss is the same as without the repetition, on which there is none."""
    arms = [synthetic.arm_info(label) for label in ("infonce", "dcl", "flatnce")]
    planned = synthetic.plan(arms, seeds=SEEDS)
    records = synthetic.run(
        planned, {arm.label: HILL for arm in arms}, noise=0.01, rng=np.random.default_rng(0)
    )
    info = synthetic.study_info(arms, seeds=SEEDS, null_controls=(("flatnce", "dcl"),))
    found = analyse(planned, records, info)
    assert found.decisions is not None
    assert {item.loss for item in found.decisions.items} == {"dcl"}
    rest = planned["arm"] != "flatnce"
    without = analyse(planned[rest], records[rest], synthetic.study_info(arms[:2], seeds=SEEDS))
    assert without.decisions is not None
    assert found.decisions.items == without.decisions.items
    assert [control.arms for control in found.null_controls] == [("flatnce", "dcl")]


def test_several_pairs_are_checked_each() -> None:
    controls = several()
    assert [control.arms for control in controls] == [("flatnce", "dcl_a"), ("flatnce", "dcl_b")]
    assert [control.verdict for control in controls] == ["no difference"] * 2


@pytest.mark.parametrize("changes", [{"base_lr": 0.3}, {"axes": (BATCH_SIZE, AxisInfo(name="hp_t"))}])
def test_a_pair_of_another_rate_or_axis_is_left_open_beside_one_that_is_judged(changes: dict) -> None:
    assert [control.verdict for control in several(**changes)] == ["no difference", "not comparable"]


def test_arms_of_other_fixed_values_are_not_comparable() -> None:
    arms = [synthetic.arm_info("dcl"), synthetic.arm_info("flatnce")]
    planned = synthetic.plan(arms, seeds=SEEDS)
    planned["hp_momentum"] = np.where(planned["arm"] == "dcl", 0.9, 0.0)
    info = synthetic.study_info(arms, seeds=SEEDS, null_controls=(("flatnce", "dcl"),))
    assert analyse(planned, run(), info).null_controls[0].verdict == "not comparable"


def test_the_level_is_shared_among_pairs() -> None:
    """A difference that one pair alone would call real is not enough for one of many."""
    arms = [synthetic.arm_info("dcl"), synthetic.arm_info("flatnce")]
    findings = analyse(
        synthetic.plan(arms, seeds=SEEDS), run(shift=0.01, jitter=0.004), synthetic.study_info(arms)
    )
    surfaces, summaries = findings.cells, findings.summaries
    pair = (surfaces["flatnce"], surfaces["dcl"], (summaries["flatnce"], summaries["dcl"]))
    p = check_null_control(*pair).p
    fewest = int(0.05 / p)
    assert check_null_control(*pair, pairs=fewest).verdict == "different"
    assert check_null_control(*pair, pairs=fewest + 1).verdict == "no difference"


@pytest.mark.parametrize("shift", [0.0, 0.05])
def test_a_control_at_one_batch_size_is_compared_over_it(shift: float) -> None:
    """The partner is worse at other batch sizes, which must not count: only the shift does."""
    arms = [synthetic.arm_info("dcl"), synthetic.arm_info("flatnce")]
    planned = synthetic.plan(arms, seeds=SEEDS)
    keep = (planned["arm"] == "dcl") | (planned["hp_batch_size"] == synthetic.BATCH_SIZES[1])
    at = set(planned.loc[keep, "trial_id"])
    records = run(shift=shift, jitter=0.001)
    away = (records["hp_batch_size"] != synthetic.BATCH_SIZES[1]).to_numpy()
    records.loc[away, "test_probe10_accuracy"] -= 0.2
    records = records[records["trial_id"].isin(at)]
    info = synthetic.study_info(arms, seeds=SEEDS, null_controls=(("flatnce", "dcl"),))
    findings = analyse(planned[keep], records, info)
    (control,) = findings.null_controls
    assert control.trials == 15  # five temperatures and three seeds
    assert control.mean.value == pytest.approx(shift, abs=0.001)
    assert control.verdict == ("different" if shift else "no difference")
    assert {card.title: card.level for card in check_fairness(findings)}["Space"] == "pass"


def test_a_control_with_a_place_of_its_own_is_not_comparable() -> None:
    arms = [synthetic.arm_info("dcl"), synthetic.arm_info("flatnce")]
    planned = synthetic.plan(arms, seeds=SEEDS)
    keep = (planned["arm"] == "flatnce") | (planned["hp_batch_size"] == synthetic.BATCH_SIZES[1])
    planned.loc[planned["arm"] == "flatnce", "hp_temperature"] *= 2
    records = synthetic.run(planned[keep], {"dcl": HILL, "flatnce": HILL})
    info = synthetic.study_info(arms, seeds=SEEDS, null_controls=(("flatnce", "dcl"),))
    assert analyse(planned[keep], records, info).null_controls[0].verdict == "not comparable"
