"""Cuts work into lists: long ones first, short ones last, so that all workers finish together."""

from collections.abc import Sequence

from trainables.work import Stack


def split_work(
    stacks: Sequence[tuple[Stack, float]], workers: int, *, longest: float = float("inf")
) -> list[list[Stack]]:
    """Lists of stacks, each with its expected cost given, by guided self-scheduling.

    Packs are taken from the costliest to the cheapest. Each list takes a share of what is left, `1 / (3 workers)`
    of it but at most `longest`, and at least one stack.
    """
    queue = sorted(stacks, key=lambda pair: -pair[1])
    left = sum(cost for _, cost in queue)
    lists: list[list[Stack]] = []
    while queue:
        share = min(longest, left / (3 * workers))
        taken: list[Stack] = []
        cost = 0.0
        while queue and (not taken or cost + queue[0][1] <= share):
            stack, price = queue.pop(0)
            taken.append(stack)
            cost += price
        left -= cost
        lists.append(taken)
    return lists
