"""All looks together use at most 5 %."""

import pytest

from analysis.statistics.comparisons.looks import MOST_SEEDS, Look


@pytest.mark.parametrize("first", [2, 3, 5, 19])
def test_the_errors_of_all_looks_sum_to_5_percent(first: int) -> None:
    looks = [Look(first=first, seeds=seeds).error for seeds in range(first, MOST_SEEDS + 1)]
    assert looks[0] == 0.04
    assert sum(looks) == pytest.approx(0.05)


def test_the_same_data_again_costs_nothing_and_looks_beyond_twenty_seeds_have_no_error() -> None:
    assert Look(first=5, seeds=3).error == 0.04  # a part of the data of the first look
    assert Look(first=5, seeds=21).error == 0
    assert Look(first=30, seeds=30).error == 0.04
    assert Look(first=30, seeds=31).error == 0
