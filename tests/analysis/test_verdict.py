"""The verdict says what is decided, undecided, equal or unfinished, with the numbers of the scores."""

import numpy as np
import pandas as pd

from analysis.info import StudyInfo
from analysis.study_analysis import analyse
from analysis.verdict import verdict_sentences
from tests.analysis import synthetic
from tests.analysis.conftest import SURFACES, Study


def sentences(planned: pd.DataFrame, records: pd.DataFrame, info: StudyInfo) -> list[str]:
    return [
        text.replace("\N{NO-BREAK SPACE}", " ") for text in verdict_sentences(analyse(planned, records, info))
    ]


def test_two_seeds_are_undecided_and_say_what_they_could_find(study: Study) -> None:
    planned, _, info = study
    records = synthetic.run(planned, SURFACES, noise=0.02, rng=np.random.default_rng(1))
    first = sentences(planned, records, info)[0]
    assert first.startswith("Tuned accuracy, compared with InfoNCE over 2 paired seeds: undecided for DHEL")
    assert "Undecided is no proof of equality: with 2 seeds" in first
    assert "To find 2 points it would take" in first


def test_a_study_without_any_tuned_score_has_a_verdict(study: Study) -> None:
    """Two seeds that share no cell: neither can choose for the other."""
    planned, records, info = study
    cells = {0: "-16-0", 1: "-256-4"}
    lone = [
        config.endswith(cells[seed])
        for config, seed in zip(records["config_id"], records["seed"], strict=True)
    ]
    told = sentences(planned, records[lone], info)
    assert told[0].startswith("Provisional: 84 of 90")
    assert any(text.startswith("Highest tuned accuracy on test") for text in told)


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
    equal = [text for text in told if text.startswith("Shown to equal INFONCE within 2 points")]
    assert len(equal) == 1
    assert "DHEL (p < 0.001)" in equal[0]
    assert "DCL" not in equal[0]


def test_many_seeds_decide() -> None:
    arms = [synthetic.arm_info("infonce", title="InfoNCE"), synthetic.arm_info("dhel", title="DHEL")]
    seeds = tuple(range(8))
    planned = synthetic.plan(arms, seeds=seeds)
    surfaces = {"infonce": SURFACES["infonce"], "dhel": synthetic.hill(peak=0.95, at=0.3, width=9.0)}
    records = synthetic.run(planned, surfaces, noise=0.005, rng=np.random.default_rng(0))
    told = sentences(planned, records, synthetic.study_info(arms, seeds=seeds))
    assert told[0].startswith("Share of the space within 2 points of each loss's own best: DHEL 60.0 % [")
    assert "over 8 paired seeds: better for DHEL (+" in told[1]
    assert "undecided" not in told[1]
    assert any(text.startswith("Highest tuned accuracy on test: DHEL with 9") for text in told)
    assert any("no ranking yet" in text for text in told) is False


def test_losses_on_other_seeds_are_not_among_the_paired(study: Study) -> None:
    """DHEL ran on seeds of its own, so nothing pairs; the others' seeds are told alone."""
    planned, records, info = study
    planned, records = (
        table.assign(seed=table["seed"] + 10 * table["trial_id"].str.startswith("dhel"))
        for table in (planned, records.merge(planned[["trial_id"]], on="trial_id"))
    )
    first = sentences(planned, records.drop(columns="seed"), info)[0]
    assert "over 2 paired seeds" in first
    assert "too few seeds to judge DHEL" in first


def test_the_numbers_are_the_scores(study: Study) -> None:
    summaries = analyse(*study).summaries
    best = max(summaries.values(), key=lambda item: item.mean.value)
    text = next(text for text in sentences(*study) if text.startswith("Highest average"))
    assert f"{study[2].arm(best.arm).name} with {100 * best.mean.value:.1f} %" in text


def test_an_unfinished_study_opens_with_that(study: Study) -> None:
    planned, records, info = study
    first, second, *_ = sentences(planned, records.iloc[5:], info)
    assert first == "Provisional: 5 of 90 planned trials have no result yet; none of 85 failed."
    # the five missing trials are the reference's, so nothing can be compared
    assert "not judged while trials are missing: DHEL and KCL" in second


def test_failures_are_counted(study: Study) -> None:
    planned, records, info = study
    last = sentences(planned, synthetic.fail(records, ["kcl-16-0-0"]), info)[-1]
    assert (
        last == "All 90 planned trials have ended; 1 of 90 failed, which counts as the worst outcome, 10.0 %."
    )


def test_a_loss_without_any_score_is_never_the_highest(study: Study) -> None:
    planned, records, info = study
    records = synthetic.fail(records, list(records.loc[records["hp_t"].notna(), "trial_id"]))
    told = sentences(planned, records[records["config_id"] != "infonce-16-0"], info)
    highest = [text for text in told if text.startswith("Highest")]
    assert len(highest) == 2
    assert not [text for text in highest if "KCL" in text]


def test_nothing_yet(study: Study) -> None:
    planned, _, info = study
    assert sentences(planned, pd.DataFrame(), info) == [
        "Nothing can be said yet: none of the 90 planned trials has a result."
    ]
