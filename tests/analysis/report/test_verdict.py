"""The verdict says what is decided, undecided, equal or unfinished, with the numbers of the scores."""

import re

import numpy as np
import pandas as pd

from analysis.model.info import StudyInfo
from analysis.report.verdict import short_sentences, verdict_sentences
from analysis.study_analysis import analyse
from tests.analysis import synthetic
from tests.analysis.conftest import SURFACES, Study
from tests.prose import assert_says


def sentences(planned: pd.DataFrame, records: pd.DataFrame, info: StudyInfo) -> list[str]:
    return [
        text.replace("\N{NO-BREAK SPACE}", " ") for text in verdict_sentences(analyse(planned, records, info))
    ]


def test_two_seeds_are_undecided_and_say_what_they_could_find(study: Study) -> None:
    planned, _, info = study
    records = synthetic.run(planned, SURFACES, noise=0.02, rng=np.random.default_rng(1))
    first = sentences(planned, records, info)[0]
    assert_says(first, "InfoNCE", "2 paired seeds", "undecided for DHEL", "no proof of equality", "2 points")


def test_a_study_without_any_tuned_score_has_a_verdict(study: Study) -> None:
    """Two seeds that share no cell: neither can choose for the other."""
    planned, records, info = study
    cells = {0: "-16-0", 1: "-256-4"}
    lone = [
        config.endswith(cells[seed])
        for config, seed in zip(records["config_id"], records["seed"], strict=True)
    ]
    told = sentences(planned, records[lone], info)
    assert_says(told[0], "Provisional", "84 of 90")
    assert [text for text in told if text.startswith("Highest tuned accuracy")]


def test_what_is_shown_to_be_equal_is_said() -> None:
    """One surface for two losses, and one far below."""
    arms = [synthetic.arm_info(label, title=label.upper()) for label in ("infonce", "dhel", "dcl")]
    seeds = tuple(range(5))
    planned = synthetic.plan(arms, seeds=seeds)
    surfaces = {
        "infonce": SURFACES["infonce"],
        "dhel": SURFACES["infonce"],
        "dcl": synthetic.hill(peak=0.7, at=0.2, width=5.0),
    }
    records = synthetic.run(planned, surfaces, noise=0.005, rng=np.random.default_rng(0))
    told = sentences(planned, records, synthetic.study_info(arms, seeds=seeds))
    (equal,) = [text for text in told if "equal INFONCE" in text]
    assert_says(equal, "within 2 points", "DHEL (p < 0.001)")
    assert "DCL" not in equal


def test_many_seeds_decide() -> None:
    arms = [synthetic.arm_info("infonce", title="InfoNCE"), synthetic.arm_info("dhel", title="DHEL")]
    seeds = tuple(range(8))
    planned = synthetic.plan(arms, seeds=seeds)
    surfaces = {"infonce": SURFACES["infonce"], "dhel": synthetic.hill(peak=0.95, at=0.3, width=9.0)}
    records = synthetic.run(planned, surfaces, noise=0.005, rng=np.random.default_rng(0))
    told = sentences(planned, records, synthetic.study_info(arms, seeds=seeds))
    assert_says(told[0], "within 2 points", "DHEL 60.0 %")
    assert_says(told[1], "8 paired seeds", "better for DHEL")
    assert "undecided" not in told[1]
    (highest,) = [text for text in told if text.startswith("Highest tuned accuracy")]
    assert re.search(r"DHEL with 9\d\.\d %", highest)
    assert not [text for text in told if "no ranking" in text]


def test_losses_on_other_seeds_are_not_among_the_paired(study: Study) -> None:
    """DHEL ran on seeds of its own, so nothing pairs; the others' seeds are told alone."""
    planned, records, info = study
    planned, records = (
        table.assign(seed=table["seed"] + 10 * table["trial_id"].str.startswith("dhel"))
        for table in (planned, records.merge(planned[["trial_id"]], on="trial_id"))
    )
    failed, first = sentences(planned, records.drop(columns="seed"), info)[:2]
    assert failed == (
        "Failed check “Seeds”: The losses ran on different seeds; comparisons use the shared ones."
    )
    assert_says(first, "2 paired seeds", "too few seeds to judge DHEL")


def test_the_terminal_has_all_failed_checks_and_decided_comparisons_first() -> None:
    """The average is decided, and comes before tuned scores, which are not."""
    arms = [synthetic.arm_info(name) for name in ("infonce", "dhel")]
    planned = synthetic.plan(arms, seeds=range(6))
    sharp, flat = (synthetic.hill(peak=0.8, at=0.3, width=width) for width in (2.5, 9.0))
    surfaces = {"infonce": flat, "dhel": sharp}
    records = synthetic.run(planned, surfaces, noise=0.02, rng=np.random.default_rng(0))
    info = synthetic.study_info(arms, seeds=range(6))
    records = records.assign(data_fingerprint=["b"] + ["a"] * (len(records) - 1))
    failed, decided, _ = short_sentences(analyse(planned, records, info))
    assert failed == "Failed check “Protocol differs”: Trials differ in content of the data set: 2 different."
    assert decided.startswith("Average accuracy over the space")
    assert_says(decided, "worse for dhel")


def test_the_numbers_are_the_scores(study: Study) -> None:
    summaries = analyse(*study).summaries
    best = max(summaries.values(), key=lambda item: item.mean.value)
    text = next(text for text in sentences(*study) if text.startswith("Highest average"))
    assert f"{study[2].arm(best.arm).name} with {100 * best.mean.value:.1f} %" in text


def test_an_unfinished_study_opens_with_that(study: Study) -> None:
    planned, records, info = study
    first, second, *_ = sentences(planned, records.iloc[5:], info)
    assert_says(first, "Provisional", "5 of 90", "none of 85 failed")
    # the five missing trials are the reference's, so nothing can be compared
    assert_says(second, "not judged", "DHEL and KCL")


def test_failures_are_counted(study: Study) -> None:
    planned, records, info = study
    last = sentences(planned, synthetic.fail(records, ["kcl-16-0-0"]), info)[-1]
    assert_says(last, "All 90 planned trials", "1 of 90 failed", "worst outcome", "10.0 %")


def test_a_loss_without_any_score_is_never_the_highest(study: Study) -> None:
    planned, records, info = study
    records = synthetic.fail(records, list(records.loc[records["hp_t"].notna(), "trial_id"]))
    told = sentences(planned, records[records["config_id"] != "infonce-16-0"], info)
    highest = [text for text in told if text.startswith("Highest")]
    assert len(highest) == 2
    assert not [text for text in highest if "KCL" in text]


def test_nothing_yet(study: Study) -> None:
    planned, _, info = study
    (only,) = sentences(planned, pd.DataFrame(), info)
    assert_says(only, "Nothing", "none of the 90 planned trials")
