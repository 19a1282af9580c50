"""The shapes of the batches on which a user's own loss is tried, from the sizes of the study."""

from collections.abc import Sequence

from search_spaces.space import Point
from study.spec.tasks.protocol import StudyTask

#: Most pairs of a trial batch, unless all batches of the study are larger.
_MOST_PAIRS = 512

#: Sizes beyond these are not tried: they may be mistakes that a later check names.
_LARGEST_PAIRS, _LARGEST_DIM = 4096, 16384


def trial_shapes(task: StudyTask, points: Sequence[Point]) -> tuple[tuple[int, int], ...]:
    """The smallest batch (pairs, dimensions) of these configurations with each dimension, and the largest batch.

    Empty if the sizes are not known.
    """
    found: set[tuple[int, int]] = set()
    for point in points:
        counts, dim = task.embeddings(point)
        if isinstance(dim, int | float) and 1 <= dim <= _LARGEST_DIM:
            known = [count for count in counts if isinstance(count, int | float)]
            found |= {(int(count), int(dim)) for count in known if 2 <= count <= _LARGEST_PAIRS}
    if not found:
        return ()
    smallest = sorted(min(each for each in found if each[1] == dim) for dim in {dim for _, dim in found})
    small = [shape for shape in found if shape[0] <= _MOST_PAIRS]
    return tuple(dict.fromkeys([*smallest, *([max(small)] if small else [])]))
