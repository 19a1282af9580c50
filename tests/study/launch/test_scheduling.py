"""Lists of work hold every trial once, long ones before short ones."""

from hypothesis import given
from hypothesis import strategies as st

from study.launch.scheduling import split_work
from tests.trainables.tiny_trial import example
from trainables.work import Stack, WorkUnit


def stacks(costs: list[float]) -> list[tuple[Stack, float]]:
    return [
        ((WorkUnit(trial_id=str(index), attempt=0, config=example(), title=""),), cost)
        for index, cost in enumerate(costs)
    ]


@given(st.lists(st.floats(0.01, 100), max_size=60), st.integers(1, 8), st.floats(1, 100))
def test_every_stack_is_in_one_list(costs: list[float], workers: int, longest: float) -> None:
    lists = split_work(stacks(costs), workers, longest=longest)
    assert sorted(int(unit.trial_id) for each in lists for (unit,) in each) == list(range(len(costs)))
    assert all(lists)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=60), st.integers(1, 8))
def test_no_list_is_longer_than_allowed(costs: list[float], workers: int) -> None:
    for each in split_work(stacks(costs), workers, longest=30):
        assert len(each) == 1 or sum(costs[int(unit.trial_id)] for (unit,) in each) <= 30 + 1e-9


def test_the_work_ends_in_small_pieces() -> None:
    lists = split_work(stacks([1.0] * 122), 2)[2:]
    assert len(lists[0]) == 20
    assert len(lists[-1]) == 1
    assert [len(each) for each in lists] == sorted((len(each) for each in lists), reverse=True)


def test_of_many_stacks_the_cheapest_run_first() -> None:
    """With few stacks, a cheap one at the start would leave the workers unequal work at the end."""
    costs = [float(cost) for cost in range(1, 17)]
    order = [int(unit.trial_id) for each in split_work(stacks(costs), 2) for (unit,) in each]
    assert order[:3] == [0, 1, 15]
    assert int(split_work(stacks(costs[:15]), 2)[0][0][0].trial_id) == 14
