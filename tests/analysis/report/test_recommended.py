"""The words of a recommendation, and what it does where the records do not hold what is asked for."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis.library import findings_of
from analysis.report.recommended import CANNOT_TELL, CLEAR, NoBatchSizeError, recommend_from
from analysis.report.recommended_data import answer_data
from analysis.report.recommended_lines import answer_lines
from analysis.report.verdict import failed_sentences
from analysis.statistics.comparisons.looks import NO_ERROR_LEFT, Look
from analysis.statistics.comparisons.null_control import DIFFERENT
from analysis.statistics.scores.selection import NONE
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

ARMS = [
    synthetic.arm_info("infonce", title="InfoNCE"),
    synthetic.arm_info("dhel", title="DHEL"),
    synthetic.arm_info("kcl", title="KCL", kernel=True),
]
AGREE = {
    0: "no seed alone chooses",
    1: "1 of 5 seeds alone chooses",
    **{count: f"{count} of 5 seeds alone choose" for count in (2, 3, 4)},
    5: "each seed alone chooses",
}
LABELS = ("infonce", "dhel", "kcl")


def study(
    *peaks: float,
    seeds: int = 5,
    slope: float = 0.0,
    failed: tuple[str, ...] = (),
    missing: tuple[str, ...] = (),
) -> StudyAnalysis:
    """Three losses, each best at temperature 0.3 or kernel scale 2 by its peak; those in `missing` have no record."""
    surfaces = {
        label: synthetic.hill(peak=peak, at=2.0 if label == "kcl" else 0.3, width=4.0, slope=slope)
        for label, peak in zip(LABELS, peaks, strict=True)
    }
    info = synthetic.study_info(ARMS, seeds=range(seeds))
    planned = synthetic.plan(ARMS, seeds=range(seeds))
    records = synthetic.run(planned, surfaces, noise=0.004, rng=np.random.default_rng(0))
    lacking = records["trial_id"].isin(planned.loc[planned["arm"].isin(missing), "trial_id"])
    return analyse(planned, synthetic.fail(records[~lacking], list(failed)), info)


def test_a_clear_choice_is_one_sentence_with_every_axis_value() -> None:
    answer = recommend_from(study(0.8, 0.9, 0.8), batch_size=64)
    lines = answer_lines(answer)
    assert answer.verdict == CLEAR
    assert answer.found is not None
    assert lines[0].startswith("Use DHEL with batch size 64, temperature 0.31")
    assert lines[0].endswith("every other loss is shown to be worse.")
    assert lines[1].startswith("Expected test accuracy if one seed chooses loss and setting: ")
    assert lines[2] == (
        f"Validation on 5 seeds chooses loss and setting; {AGREE[answer.found.chosen.agreeing]} this setting."
    )
    assert "0.0 points" in lines[3]
    assert lines[4] == "Shown not to be the best: InfoNCE and KCL." or "KCL and InfoNCE" in lines[4]
    data = answer_data(answer)
    assert data["loss"] == "dhel"
    assert data["setting"]["hp_batch_size"] == 64
    assert data["regret"]["high"] == 0
    assert data["score"]["low"] < data["score"]["value"] < data["score"]["high"]


def test_losses_that_cannot_be_told_apart_are_all_named_with_their_costs() -> None:
    findings = study(0.9, 0.9, 0.7)
    findings = dataclasses.replace(findings, info=dataclasses.replace(findings.info, tolerance=0.0001))
    answer = recommend_from(findings, batch_size=64)
    lines = answer_lines(answer)
    assert answer.verdict == CANNOT_TELL
    assert lines[0].startswith("Cannot tell: ")
    assert {"InfoNCE", "DHEL"} <= set(lines[0].replace(",", " ").split())
    assert any("costs at most" in line for line in lines)
    assert "Shown not to be the best: KCL." in lines
    assert len(lines) <= 10


def test_a_batch_size_between_those_swept_has_its_neighbours() -> None:
    findings = study(0.8, 0.9, 0.8)
    lines = answer_lines(recommend_from(findings, batch_size=100))
    assert lines[0] == "Cannot tell: batch size 100 was not swept; the nearest that were: 64 and 256."
    assert [line[:18] for line in lines[1:]] == ["At batch size 64: ", "At batch size 256:"]
    beyond = recommend_from(findings, batch_size=1024)
    assert [each.batch_size for each in beyond.nearest] == [256]
    assert answer_data(beyond)["verdict"] == CANNOT_TELL


def test_few_seeds_failures_and_edges_are_said() -> None:
    one = answer_lines(recommend_from(study(0.8, 0.9, 0.8, seeds=1)))
    assert one[0].startswith(
        "Cannot tell: there is 1 seed, and at least 3 are needed. So far, validation chooses DHEL"
    )
    rising = study(0.8, 0.9, 0.8, slope=-0.02)
    assert any("edge of the swept batch size" in line for line in answer_lines(recommend_from(rising)))
    failing = recommend_from(study(0.8, 0.9, 0.8, failed=("dhel-64-2-0",)), batch_size=64)
    assert failing.verdict == CANNOT_TELL
    assert "trials failed" in failing.reason
    assert answer_lines(failing)[-1] == "Failed trials count as 10.0\u00a0%: 1 of 25 of DHEL."


def test_a_failed_check_takes_a_loss_out_or_withholds_all() -> None:
    info = synthetic.study_info(ARMS, seeds=range(5))
    planned = synthetic.plan(ARMS, seeds=range(5))
    planned = planned[(planned["arm"] != "kcl") | (planned["seed"] < 3)]
    surfaces = {
        label: synthetic.hill(peak=0.9, at=2.0 if label == "kcl" else 0.3, width=4.0) for label in LABELS
    }
    records = synthetic.run(planned, surfaces, noise=0.004, rng=np.random.default_rng(0))
    answer = recommend_from(analyse(planned, records, info), batch_size=64)
    assert answer.found is not None
    assert {each.loss for each in answer.found.candidates} == {"infonce", "dhel"}
    assert answer.notes[0].startswith("Not compared, since a check failed: KCL (")


def test_a_failed_null_control_is_a_note_and_decides_as_the_verdict_does() -> None:
    arms = [synthetic.arm_info(label, title=label) for label in ("infonce", "dhel", "kcl")]
    info = synthetic.study_info(arms, seeds=range(5), null_controls=(("kcl", "infonce"),))
    planned = synthetic.plan(arms, seeds=range(5))
    peaks = {"infonce": 0.8, "dhel": 0.9, "kcl": 0.7}
    surfaces = {
        label: synthetic.hill(peak=peak, at=0.3, width=4.0, slope=0.01) for label, peak in peaks.items()
    }
    records = synthetic.run(planned, surfaces, noise=0.004, rng=np.random.default_rng(0))
    findings = analyse(planned, records, info)
    assert [control.verdict for control in findings.null_controls] == [DIFFERENT]
    answer = recommend_from(findings)
    assert (answer.verdict, answer.reason) == (CLEAR, "")
    assert answer.notes[0].startswith("Failed check “Null control”: ")
    assert answer_lines(answer)[0].startswith("Use dhel ")
    assert failed_sentences(findings)[0] in answer_lines(answer)[4]


def test_a_loss_without_any_score_has_no_setting() -> None:
    answer = recommend_from(study(0.8, 0.9, 0.8, missing=("kcl",)))
    assert answer.found is not None
    (kcl,) = [each for each in answer.found.candidates if each.loss == "kcl"]
    assert (kcl.cell, kcl.agreeing) == (NONE, 0)
    assert (answer.settings["kcl"], answer.setting_words["kcl"]) == ({}, "")
    assert set(answer.settings["dhel"]) == {"hp_batch_size", "hp_temperature"}
    (told,) = [each for each in answer_data(answer)["losses"] if each["loss"] == "kcl"]
    assert (told["setting"], told["agreeing_seeds"]) == ({}, 0)
    assert answer_lines(answer)[0].startswith(
        "Cannot tell: trials of KCL are missing. So far, validation chooses DHEL with batch size "
    )


def test_without_any_score_nothing_is_chosen_so_far() -> None:
    findings = study(0.8, 0.9, 0.8)
    at_64 = findings.table["hp_batch_size"] == 64
    records = findings.table.loc[~at_64]
    planned = synthetic.plan(ARMS, seeds=range(5))
    answer = recommend_from(analyse(planned, records, findings.info), batch_size=64)
    assert list(answer.settings.values()) == [{}, {}, {}]
    assert answer_lines(answer)[0] == "Cannot tell: trials of InfoNCE, DHEL and KCL are missing."


def test_notes_come_before_rivals_and_ten_lines_hold_all() -> None:
    labels = [f"loss {letter}" for letter in "abcdefgh"]
    arms = [synthetic.arm_info(label) for label in labels]
    info = synthetic.study_info(
        arms, seeds=range(10), tolerance=0.0001, null_controls=((labels[0], labels[6]),)
    )
    planned = synthetic.plan(arms, seeds=range(10))
    peaks = dict.fromkeys(labels, 0.9) | {labels[6]: 0.8, labels[7]: 0.7}
    surfaces = {label: synthetic.hill(peak=peak, at=0.3, width=4.0) for label, peak in peaks.items()}
    records = synthetic.run(planned, surfaces, noise=0.01, rng=np.random.default_rng(0))
    answer = recommend_from(analyse(planned, records, info), tuned=False)
    lines = answer_lines(answer)
    assert answer.found is not None
    assert len(answer.found.rivals) >= 5
    assert len(lines) == 10
    assert lines[5].startswith("Failed check “Null control”: ")
    assert [("costs at most" in line) for line in lines] == [False] * 6 + [True] * 2 + [False] * 2
    assert lines[8].startswith("Also not excluded: ")
    assert lines[9] == "Shown not to be the best: loss h."


def test_without_a_look_it_is_the_first_one() -> None:
    """The report takes 4 % at a first look, and 1 % for all later ones."""
    findings = study(0.8, 0.9, 0.8)
    first = recommend_from(findings, batch_size=64)
    assert first.found is not None
    assert first.found.error == 0.04
    info = dataclasses.replace(findings.info, look=Look(first=3, seeds=5), look_note="Not kept.")
    later = recommend_from(dataclasses.replace(findings, info=info), batch_size=64)
    assert later.found is not None
    assert later.found.error == 0.01 / 17
    assert later.notes[-1] == "Not kept."
    spent = dataclasses.replace(info, look=Look(first=20, seeds=21))
    beyond = recommend_from(dataclasses.replace(findings, info=spent), batch_size=64)
    assert (beyond.verdict, beyond.reason) == (CANNOT_TELL, NO_ERROR_LEFT)


def test_losses_with_seeds_of_their_own_are_compared_without_pairs_as_in_the_report() -> None:
    info = synthetic.study_info(ARMS[:2], seeds=range(6))
    planned = synthetic.plan(ARMS[:2], seeds=range(6))
    planned = planned[(planned["arm"] == "dhel") == (planned["seed"] < 3)]
    surface = synthetic.hill(peak=0.9, at=0.3, width=4.0)
    records = synthetic.run(
        planned, dict.fromkeys(("infonce", "dhel"), surface), noise=0.004, rng=np.random.default_rng(0)
    )
    answer = recommend_from(analyse(planned, records, info))
    lines, data = answer_lines(answer), answer_data(answer)
    assert answer.reason == ""
    assert answer.found is not None
    assert not answer.found.paired
    assert len(answer.found.rivals) == 1
    assert "Losses are not paired by seed, since they have different seeds." in answer.notes
    # no seed chooses among losses, so the score is that of one loss and has no interval
    assert any(
        line.startswith("Expected test accuracy if one seed chooses the setting: ") and "[" not in line
        for line in lines
    )
    assert any(line.startswith("Validation on 3 seeds a loss chooses loss and setting;") for line in lines)
    assert (data["paired"], data["score"]["low"]) == (False, None)


def test_without_tuning_the_default_is_recommended() -> None:
    answer = recommend_from(study(0.8, 0.9, 0.8), batch_size=64, tuned=False)
    lines = answer_lines(answer)
    assert lines[0].startswith("Without tuning, use DHEL with batch size 64, temperature 0.31")
    assert any(line.startswith("Expected gain from tuning it: ") for line in lines)


def test_a_study_without_batch_sizes_is_refused() -> None:
    arms = [
        dataclasses.replace(
            arm, axes=(dataclasses.replace(arm.axes[0], name="hp_width", label="width"), arm.axes[1])
        )
        for arm in ARMS
    ]
    info = synthetic.study_info(arms, seeds=range(3))
    planned = synthetic.plan(ARMS, seeds=range(3))
    surfaces = {
        label: synthetic.hill(peak=0.9, at=2.0 if label == "kcl" else 0.3, width=4.0) for label in LABELS
    }
    records = synthetic.run(planned, surfaces, noise=0.004, rng=np.random.default_rng(0))
    renamed = planned.rename(columns={"hp_batch_size": "hp_width"})
    findings = analyse(renamed, records.drop(columns="hp_batch_size", errors="ignore"), info)
    with pytest.raises(NoBatchSizeError, match="the study has no batch sizes"):
        recommend_from(findings, batch_size=64)


def flat(levels: dict[str, float], *, seeds: int = 5, rng: int = 0, **columns: object) -> pd.DataFrame:
    """A table of losses with these levels at two temperatures and batch sizes, and a little noise."""
    noise = np.random.default_rng(rng)
    return pd.DataFrame(
        [
            {"loss": loss, "batch_size": batch, "tau": tau, "seed": seed, "test_acc": test, "val_acc": val}
            for loss, level in levels.items()
            for batch in (32, 64)
            for tau in (0.1, 0.2)
            for seed in range(seeds)
            for test, val in [level + 0.001 * noise.normal(size=2)]
        ]
    ).assign(**columns)


KEYS = {"metric": "test_acc", "selects": "val_acc"}


def test_equal_losses_are_said_to_be_equal_and_the_first_is_named() -> None:
    one = flat({"b": 0.8}).round(4)
    # the same scores at other seeds; at the same ones they would be copies
    rows = pd.concat(
        [one, *(one.assign(loss=loss, seed=(one.seed + by) % 5) for loss, by in (("a", 1), ("c", 2)))]
    )
    found = recommend_from(findings_of(rows, **KEYS))
    assert found.found is not None
    assert [each.loss for each in found.found.equals] == ["a", "c"]
    assert np.ptp([each.score for each in found.found.candidates]) < 1e-12
    assert answer_lines(found)[1] == "b, a and c are equal in expected test acc within the tolerance."
    why = answer_lines(found)[3]
    assert why.endswith(
        "b, a and c are equal in validation and expected test acc: b is named because it comes first in the study."
    )
    data = answer_data(found)
    assert (data["loss"], data["equal_losses"], data["highest_score"]) == ("b", ["a", "c"], "b")
    # without a step of the metric nothing is known of the error, and they are equal all the same
    unknown = flat({"b": 0.8})
    unknown["test_acc"] = unknown["val_acc"] = 0.8 + unknown["tau"] / np.pi  # too few scores for a copy
    unknown = pd.concat([unknown, unknown.assign(loss="a")])
    lines = answer_lines(recommend_from(findings_of(unknown, **KEYS)))
    assert lines[0].startswith(
        "Cannot tell: scores or differences are equal at all seeds. So far, validation"
    )
    assert lines[1].endswith(
        "b and a are equal in validation and expected test acc: b is named because it comes first in the study."
    )
    # a bound that is not 0 is not written as 0
    assert answer_lines(found)[0].endswith("better by more than 0.1 points, within the tolerance of 2.0.")


def hills(plain: float, flat: float) -> pd.DataFrame:
    """A table of two losses with the same best score: `plain` and `flat` are what each loses at other places."""
    noise = np.random.default_rng(3)
    return pd.DataFrame(
        [
            {"loss": loss, "batch_size": batch, "tau": tau, "seed": seed, "test_acc": test, "val_acc": val}
            for loss, lost in (("plain", plain), ("flat", flat))
            for batch in (32, 64)
            for tau in (0.1, 0.2, 0.4, 0.8)
            for seed in range(5)
            for test, val in [0.9 - lost * (tau != 0.2) + 0.002 * noise.normal(size=2)]
        ]
    )


def test_of_losses_equal_within_the_tolerance_the_more_robust_one_is_named() -> None:
    answer = recommend_from(findings_of(hills(0.08, 0.0), **KEYS))
    assert answer.more_robust == (("flat", "plain"),)
    alike, robust = answer_lines(answer)[1].split("; ", 1)
    assert alike.endswith(" are equal in expected test acc within the tolerance")
    assert set(alike.split(" are ")[0].split(" and ")) == {"plain", "flat"}
    assert robust == "flat is shown to be more robust than plain (see the report)."
    assert answer_data(answer)["shown_more_robust"] == [{"loss": "flat", "than": "plain"}]
    at_one = answer_lines(recommend_from(findings_of(hills(0.08, 0.0), **KEYS), batch_size=32))[1]
    assert at_one.endswith(
        "flat is shown to be more robust than plain (over all batch sizes; see the report)."
    )
    # the reference may be the more robust one; without a decision there is no word of it
    turned = recommend_from(findings_of(hills(0.0, 0.08), **KEYS))
    assert turned.more_robust == (("plain", "flat"),)
    assert recommend_from(findings_of(hills(0.0, 0.0), **KEYS)).more_robust == ()


def test_a_study_with_missing_trials_supports_no_choice_and_counts_them() -> None:
    rows = flat({"a": 0.8, "b": 0.7})
    lacking = (rows["loss"] == "b") & (rows["batch_size"] == 64) & (rows["tau"] == 0.2) & (rows["seed"] == 1)
    findings = findings_of(rows[~lacking], **KEYS)
    answer = recommend_from(findings)
    assert (answer.verdict, answer.reason) == (CANNOT_TELL, "trials of b are missing")
    told = "Provisional: 1 of 40 planned trials have no result yet."
    assert told in answer.notes
    there = recommend_from(findings, batch_size=32)  # where none is missing
    assert (there.verdict, there.reason) == (CLEAR, "")
    assert told in there.notes


def test_one_seed_of_another_level_moves_the_choice_and_not_the_named_loss() -> None:
    rows = flat({"a": 0.9, "b": 0.9})
    rows.loc[(rows["loss"] == "b") & (rows["seed"] == 4), ["test_acc", "val_acc"]] -= 0.4
    answer = recommend_from(findings_of(rows, **KEYS))
    assert answer.found is not None
    assert answer.found.chosen.loss == "a"
    score = next(line for line in answer_lines(answer) if line.startswith("Expected test acc if one seed "))
    assert score.endswith(" a alone: 90.0\u00a0%.")
    assert 100 * answer.found.score.value < 89.9  # some seeds choose b, and the poor seed scores it


def test_a_table_without_defaults_has_the_middle_values_and_says_so() -> None:
    findings = findings_of(hills(0.08, 0.0), **KEYS)
    answer = recommend_from(findings, tuned=False)
    assert answer.settings["plain"] == {"hp_batch_size": 32, "hp_tau": 0.2}
    assert "No default is known for batch size and tau: the middle value counts as it." in answer.notes
    told = recommend_from(findings, tuned=False, batch_size=64).notes
    assert "No default is known for tau: the middle value counts as it." in told
    assert not any("No default" in note for note in recommend_from(findings).notes)


def test_where_validation_does_not_choose_the_best_test_score_a_clause_says_so() -> None:
    rows = flat({"a": 0.8, "b": 0.8})
    rows.loc[rows["loss"] == "a", "val_acc"] += 0.02
    rows.loc[rows["loss"] == "b", "test_acc"] += 0.01
    found = recommend_from(findings_of(rows, **KEYS))
    assert found.found is not None
    assert found.found.higher is not None
    gap = 100 * (found.found.higher.score - found.found.chosen.score)
    assert gap == pytest.approx(1.0, abs=0.1)
    assert answer_lines(found)[2].endswith(
        f"b has a higher test acc, by {gap:.1f} points; test scores do not choose."
    )
    error = rows.assign(test_err=1 - rows["test_acc"], val_err=1 - rows["val_acc"]).drop(
        columns=["test_acc", "val_acc"]
    )
    lower = recommend_from(findings_of(error, metric="test_err", selects="val_err"))
    lines = answer_lines(lower)
    assert lines[1].startswith(
        "Expected test err (less is better) if one seed chooses loss and setting: 20.0"
    )
    assert lines[2].endswith(f"b has a lower test err, by {gap:.1f} points; test scores do not choose.")
    assert answer_data(lower)["higher_is_better"] is False
    # the regret is what b is better by, whatever the direction of the metric is
    assert answer_data(lower)["regret"]["value"] == pytest.approx(gap)


def choosing(a: float, b: float, *, apart: bool) -> tuple[pd.DataFrame, dict[str, str]]:
    """Two losses with these test accuracies. A validation loss chooses settings if `apart`, else the accuracy."""
    rows = flat({"a": a, "b": b}).drop(columns="val_acc")
    if not apart:
        return rows, {"metric": "test_acc"}
    return rows.assign(val_loss=1 + rows["tau"]), {"metric": "test_acc", "selects": "val_loss"}


@pytest.mark.parametrize("apart", [True, False])
def test_where_the_test_score_chooses_the_loss_no_line_says_that_validation_does(apart: bool) -> None:
    rows, keys = choosing(0.8, 0.7, apart=apart)
    lines = answer_lines(recommend_from(findings_of(rows, **keys)))
    by = (
        "The loss is chosen by test acc on seeds that do not score it, and its setting by validation; "
        if apart
        else "Test acc on 5 seeds chooses loss and setting; "
    )
    assert lines[2].startswith(by)
    assert not any("test scores do not choose" in line for line in lines)
    # the same scores for both losses, and too few different ones for a copy
    rows["test_acc"] = 0.8 - rows["tau"] / np.pi
    twice = pd.concat([rows[rows["loss"] == "a"], rows[rows["loss"] == "a"].assign(loss="b")])
    lines = answer_lines(recommend_from(findings_of(twice, **keys)))
    chooses = "chooses the loss and validation its setting:" if apart else "chooses"
    assert lines[0] == (
        "Cannot tell: scores or differences are equal at all seeds. So far, test acc "
        f"{chooses} a with batch size 32, tau 0.1."
    )
    assert lines[1].endswith(
        "a and b are equal in test acc of the seeds that choose and expected test acc: a is named because it comes "
        "first in the study."
    )


@pytest.mark.parametrize("apart", [True, False])
def test_a_score_on_other_seeds_may_be_higher_than_that_of_the_seeds_that_choose(apart: bool) -> None:
    """At the setting that a seed chooses, loss a is 0.02 better for this seed and 0.02 worse for the others."""
    rows, keys = choosing(0.8, 0.8, apart=apart)
    rows = rows[rows["seed"] < 4].copy()
    place = rows.groupby(["loss", "batch_size", "tau"], sort=False).ngroup()  # loss a has the first four
    lucky = place == rows["seed"]
    rows.loc[rows["loss"] == "a", "test_acc"] -= 0.02
    rows.loc[lucky, "test_acc"] += 0.04
    if apart:
        rows.loc[lucky, "val_loss"] = 0.5
    answer = recommend_from(findings_of(rows, **keys))
    assert answer.found is not None
    assert answer.found.higher is not None
    gap = 100 * (answer.found.higher.score - answer.found.chosen.score)
    lines = answer_lines(answer)
    chooses = "chooses the loss and validation its setting:" if apart else "chooses"
    assert lines[0].startswith(
        f"Cannot tell: test acc {chooses} a with batch size 32, tau 0.1, but test acc on"
    )
    assert " but test acc on other seeds shows that b with " in lines[0]
    assert lines[2].endswith(f" b has a higher test acc on seeds that do not choose, by {gap:.1f} points.")


def test_a_gain_of_tuning_above_0_is_better_for_an_error_too() -> None:
    rows = flat({"a": 0.8, "b": 0.7})
    rows.loc[rows["tau"] == 0.2, ["test_acc", "val_acc"]] += 0.05
    rows["test_acc"], rows["val_acc"] = 1 - rows["test_acc"], 1 - rows["val_acc"]
    error = rows.rename(columns={"test_acc": "test_err", "val_acc": "val_err"})
    answer = recommend_from(findings_of(error, metric="test_err", selects="val_err"), tuned=False)
    assert answer.settings["a"]["hp_tau"] == 0.1
    assert any(line.startswith("Expected gain from tuning it: +") for line in answer_lines(answer))
    assert answer_data(answer)["losses"][0]["gain_of_tuning"]["value"] == pytest.approx(5.0, abs=0.2)


def test_a_loss_whose_trials_all_failed_is_left_out_and_takes_no_answer_from_the_others() -> None:
    rows = flat({"a": 0.8, "b": 0.7, "c": 0.6}, status="ok")
    rows.loc[rows["loss"] == "c", ["status", "test_acc", "val_acc"]] = ["diverged", np.nan, np.nan]
    answer = recommend_from(findings_of(rows, **KEYS))
    assert answer.verdict == CLEAR
    assert answer.notes[0] == "Not compared, since all trials failed: c."
    rows[["status", "test_acc", "val_acc"]] = ["diverged", np.nan, np.nan]
    none = answer_lines(recommend_from(findings_of(rows, **KEYS)))
    assert none == ["Cannot tell: no trial ended with a score."]


def test_missing_trials_are_told_with_their_losses() -> None:
    rows = flat({"a": 0.8, "b": 0.7, "c": 0.6})
    lacking = (rows["loss"] != "c") & (rows["seed"] == 2) & (rows["tau"] == 0.2)
    answer = recommend_from(findings_of(rows[~lacking], **KEYS))
    assert answer.reason == "trials of a and b are missing"


def test_many_losses_are_counted_and_not_listed() -> None:
    levels = {f"loss{index:02d}": 0.8 for index in range(9)}
    findings = findings_of(flat(levels, seeds=3), **KEYS, tolerance=0.0001)
    lines = answer_lines(recommend_from(findings))
    assert lines[0].startswith("Cannot tell: the 9 losses cannot be told apart with 3 seeds. A guess: loss")
    assert lines[-1].startswith("Also not excluded: ")
    assert max(map(len, lines)) < 250


def test_losses_of_one_failed_check_share_its_reason() -> None:
    rows = pd.concat(
        [
            flat({"a": 0.8}, seeds=6),
            flat({"b": 0.8}, seeds=3),
            flat({"c": 0.8}, seeds=3).assign(seed=lambda rows: rows["seed"] + 3),
        ]
    )
    reason = recommend_from(findings_of(rows, **KEYS)).reason
    assert reason.startswith("a check failed for b and c (seeds: ")
    assert reason.count("seeds: ") == 1
