"""The full grid over named axes."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from trainables.config import Scalar


def grid(axes: Mapping[str, Sequence[Scalar]]) -> Iterator[dict[str, Scalar]]:
    """Every combination of one value an axis, the last axis varying fastest."""
    for values in product(*axes.values()):
        yield dict(zip(axes, values, strict=True))
