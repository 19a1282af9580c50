"""Cuts work into lists: long ones first, short ones last, so that all workers finish together."""

from collections.abc import Sequence

from trainables.work import WorkUnit


def split_work(
    units: Sequence[tuple[WorkUnit, float]], workers: int, *, longest: float = float("inf")
) -> list[list[WorkUnit]]:
    """Lists of units, each with its expected cost given, by guided self-scheduling.

    Units are taken from the costliest to the cheapest. Each list takes a share of what is left, `1 / (3 workers)`
    of it but at most `longest`, and at least one unit.
    """
    queue = sorted(units, key=lambda pair: -pair[1])
    left = sum(cost for _, cost in queue)
    lists: list[list[WorkUnit]] = []
    while queue:
        share = min(longest, left / (3 * workers))
        taken: list[WorkUnit] = []
        cost = 0.0
        while queue and (not taken or cost + queue[0][1] <= share):
            unit, price = queue.pop(0)
            taken.append(unit)
            cost += price
        left -= cost
        lists.append(taken)
    return lists
