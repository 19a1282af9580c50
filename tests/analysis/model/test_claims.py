"""Claims are checked against rows: bounds, matched trials, failures, and what cannot be decided."""

import numpy as np
import pandas as pd
import pytest

from analysis.model.claims import CONFIRMED, NOT_CONFIRMED, NOT_TESTABLE, OPEN, Claim, judge


def rows(**columns: list[object]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "arm": "a",
            "seed": [0, 1, 0, 1],
            "status": "ok",
            "hp_selection": ["osgd", "osgd", "shuffle", "shuffle"],
            "hp_lr": [0.1, 0.1, 0.2, 0.2],
            "hp_steps": np.nan,
            "gap": [0.1, 0.2, 0.3, 0.15],
        }
    )
    return table.assign(**columns)


def claim(**fields: object) -> Claim:
    values = {"name": "c", "claim": "It is so.", "paper": "P", "column": "gap"} | fields
    return Claim(**values)  # type: ignore[arg-type]


def test_bounds_hold_for_every_trial_or_the_share() -> None:
    assert judge(claim(at_most=0.3), rows()).status == CONFIRMED
    found = judge(claim(at_most=0.2), rows())
    assert (found.status, found.agreeing, found.trials) == (NOT_CONFIRMED, 3, 4)
    assert judge(claim(at_most=0.2, share=0.75), rows()).status == CONFIRMED
    assert judge(claim(at_least=0.1), rows()).status == CONFIRMED
    assert judge(claim(at_least=0.12, at_most=0.3), rows()).agreeing == 3


def test_matches_differ_in_what_is_named_and_their_rate_alone() -> None:
    lower = claim(rows={"selection": "osgd"}, below={"selection": "shuffle"})
    assert judge(lower, rows()).agreeing == 1  # 0.1 < 0.3, and 0.2 > 0.15
    assert judge(lower, rows(seed=[1, 0, 0, 1])).agreeing == 2
    with pytest.raises(ValueError, match=r"claims\.c: below selection shuffle: no trial has a match"):
        judge(lower, rows(hp_steps=[1.0, 1.0, 2.0, 2.0]))


def test_a_match_that_failed_or_has_not_run() -> None:
    lower = claim(rows={"selection": "osgd"}, below={"selection": "shuffle"})
    failed = judge(lower, rows(status=["ok", "ok", "diverged", "diverged"], gap=[0.1, 0.2, np.nan, np.nan]))
    assert (failed.status, failed.agreeing) == (NOT_CONFIRMED, 0)
    assert judge(lower, rows(status=["ok", "ok", None, "ok"])).status == OPEN


def test_numbers_show_on_which_side_of_the_bound_they_lie() -> None:
    found = judge(claim(at_most=15.954), rows(gap=[13.0, 15.953, 15.953, 15.953]))
    assert found.found == "4 of 4 trials; 13 to 15.95, median 15.95"
    assert judge(claim(at_most=-0.1), rows(gap=[-0.5, -0.1, -0.0999, -0.2])).found.endswith(
        "\N{MINUS SIGN}0.5 to \N{MINUS SIGN}0.0999, median \N{MINUS SIGN}0.15"
    )


def test_thresholds_have_a_true_minus_sign() -> None:
    told = claim(rows={"s": (-2, 1), "form": "one-sided"}, at_least=-0.5).confirmed_by
    assert told == "every trial of s \N{MINUS SIGN}2, 1; form one-sided: gap at least \N{MINUS SIGN}0.5"


def test_a_failed_trial_agrees_with_nothing() -> None:
    failed = rows(status=["diverged", "ok", "ok", "ok"], gap=[np.nan, 0.2, 0.3, 0.15])
    for bound in (claim(at_most=9.0), claim(at_least=0.0)):
        assert judge(bound, failed).agreeing == 3


def test_what_has_not_run_is_open_and_what_cannot_be_says_why() -> None:
    assert judge(claim(at_most=1.0), rows(status=["ok", None, "ok", "ok"])).status == OPEN
    found = judge(claim(column="", untestable="needs images"), rows())
    assert (found.status, found.found) == (NOT_TESTABLE, "needs images")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rows": {"dim": 4}, "at_most": 1.0}, "got 'dim', which no trial"),
        ({"rows": {"selection": "full"}, "at_most": 1.0}, "got 'selection full', which no trial"),
        ({"column": "gram", "at_most": 1.0}, "got 'gram', which no trial"),
    ],
)
def test_what_no_trial_has_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        judge(claim(**fields), rows())
