"""The phrases on standings, as the verdict over data sets has them."""

import pytest

from analysis.report.verdict_phrases import phrase, place_of
from analysis.statistics.comparisons.decisions import (
    AS_ROBUST,
    BETTER_TUNED,
    CHOSEN_LOW,
    FLAT_BUT_LOW,
    HIGHER_PRICE,
    LOWER_PRICE,
    MORE_ROBUST,
    OPEN,
    REFERENCE_CHOSEN_LOW,
    REFERENCE_LOW,
    WITHHELD,
    WORSE_TUNED,
)


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        (MORE_ROBUST, "b and c are more robust than a"),
        (
            FLAT_BUT_LOW,
            "b and c pay less for not tuning, but are worse than a when tuned: flat but low, which is not robust",
        ),
        (
            REFERENCE_LOW,
            (
                "b and c pay more than a for not tuning, but are better when tuned: a is flat but low, which is not "
                "robust"
            ),
        ),
        (
            LOWER_PRICE,
            "b and c pay less than a for not tuning, but may be more than 2 points worse when tuned",
        ),
        (
            HIGHER_PRICE,
            "b and c pay more than a for not tuning, but may be more than 2 points better when tuned",
        ),
        (WORSE_TUNED, "b and c are worse than a when tuned, but better on average: a trade-off"),
        (BETTER_TUNED, "b and c are better than a when tuned, but worse on average: a trade-off"),
        (CHOSEN_LOW, "b and c are worse than a when tuned: validation chooses below the average"),
        (
            REFERENCE_CHOSEN_LOW,
            "b and c are better than a when tuned: validation chooses below the average of a",
        ),
        (AS_ROBUST, "b and c are as robust as a, within 2 points"),
        (OPEN, "it is open whether b and c are more or less robust than a"),
        (WITHHELD, "the verdict on b and c is withheld"),
    ],
)
def test_without_numbers_a_phrase_tells_the_direction(standing: str, told: str) -> None:
    assert phrase(standing, "b and c", "a", "2 points", several=True) == told


def test_decided_losses_come_before_open_and_withheld_ones() -> None:
    words = [WITHHELD, OPEN, AS_ROBUST, LOWER_PRICE, MORE_ROBUST]
    assert sorted(words, key=place_of) == words[::-1]
