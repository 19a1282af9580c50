"""The words of a recommendation, and what it does where the records do not hold what is asked for."""

import dataclasses

import numpy as np
import pytest

from analysis.report.recommended import (
    CANNOT_TELL,
    CLEAR,
    NoBatchSizeError,
    answer_data,
    answer_lines,
    recommend_from,
)
from analysis.report.verdict import failed_sentences
from analysis.statistics.comparisons.looks import Look
from analysis.statistics.comparisons.null_control import DIFFERENT
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

ARMS = [
    synthetic.arm_info("infonce", title="InfoNCE"),
    synthetic.arm_info("dhel", title="DHEL"),
    synthetic.arm_info("kcl", title="KCL", kernel=True),
]
LABELS = ("infonce", "dhel", "kcl")


def study(*peaks: float, seeds: int = 5, slope: float = 0.0, failed: tuple[str, ...] = ()) -> StudyAnalysis:
    """Three losses, each best at temperature 0.3 or kernel scale 2 by its peak."""
    surfaces = {
        label: synthetic.hill(peak=peak, at=2.0 if label == "kcl" else 0.3, width=4.0, slope=slope)
        for label, peak in zip(LABELS, peaks, strict=True)
    }
    info = synthetic.study_info(ARMS, seeds=range(seeds))
    planned = synthetic.plan(ARMS, seeds=range(seeds))
    records = synthetic.run(planned, surfaces, noise=0.004, rng=np.random.default_rng(0))
    return analyse(planned, synthetic.fail(records, list(failed)), info)


def test_a_clear_choice_is_one_sentence_with_every_axis_value() -> None:
    answer = recommend_from(study(0.8, 0.9, 0.8), batch_size=64)
    lines = answer_lines(answer)
    assert answer.verdict == CLEAR
    assert lines[0].startswith("Use DHEL with batch size 64, temperature 0.31")
    assert lines[0].endswith("every other loss is shown to be worse.")
    assert lines[1].startswith("Expected test accuracy: ")
    assert "0.0 points" in lines[2]
    assert lines[3] == "Shown not to be the best: InfoNCE and KCL." or "KCL and InfoNCE" in lines[3]
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
    assert answer_lines(failing)[-1] == "Failed trials count as 10.0\u00a0%: DHEL 1 of 25."


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
    assert failed_sentences(findings)[0] in answer_lines(answer)[3]


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
    assert lines[4].startswith("Failed check “Null control”: ")
    assert [("costs at most" in line) for line in lines] == [False] * 5 + [True] * 3 + [False] * 2
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


def test_losses_without_common_seeds_have_a_reason() -> None:
    info = synthetic.study_info(ARMS[:2], seeds=range(6))
    planned = synthetic.plan(ARMS[:2], seeds=range(6))
    planned = planned[(planned["arm"] == "dhel") == (planned["seed"] < 3)]
    surface = synthetic.hill(peak=0.9, at=0.3, width=4.0)
    records = synthetic.run(
        planned, dict.fromkeys(("infonce", "dhel"), surface), noise=0.004, rng=np.random.default_rng(0)
    )
    answer = recommend_from(analyse(planned, records, info))
    assert answer_lines(answer) == [
        "Cannot tell: the losses have no seed in common, so no seed compares them."
    ]
    assert answer_data(answer)["verdict"] == CANNOT_TELL


def test_without_tuning_the_default_is_recommended() -> None:
    answer = recommend_from(study(0.8, 0.9, 0.8), batch_size=64, tuned=False)
    lines = answer_lines(answer)
    assert lines[0].startswith("Without tuning, use DHEL with batch size 64, temperature 0.31")
    assert any(line.startswith("Tuning it would change this by ") for line in lines)


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
    with pytest.raises(NoBatchSizeError, match="the study has no axis of this name"):
        recommend_from(findings, batch_size=64)
