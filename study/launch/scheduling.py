"""Cuts work into lists: long ones first, short ones last, so that all workers finish together."""

from collections.abc import Sequence

from trainables.work import Pack


def split_work(
    packs: Sequence[tuple[Pack, float]], workers: int, *, longest: float = float("inf")
) -> list[list[Pack]]:
    """Lists of packs, each with its expected cost given, by guided self-scheduling.

    Packs are taken from the costliest to the cheapest. Each list takes a share of what is left, `1 / (3 workers)`
    of it but at most `longest`, and at least one pack.
    """
    queue = sorted(packs, key=lambda pair: -pair[1])
    left = sum(cost for _, cost in queue)
    lists: list[list[Pack]] = []
    while queue:
        share = min(longest, left / (3 * workers))
        taken: list[Pack] = []
        cost = 0.0
        while queue and (not taken or cost + queue[0][1] <= share):
            pack, price = queue.pop(0)
            taken.append(pack)
            cost += price
        left -= cost
        lists.append(taken)
    return lists
