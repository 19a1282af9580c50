"""Cosine similarities of many rows with many rows, a block at a time."""

from collections.abc import Iterator

from torch import Tensor
from torch.nn import functional as F

#: Similarities of a block: 16 MB, whatever the number of rows.
_BLOCK = 2**22


def cosine_blocks(queries: Tensor, gallery: Tensor) -> Iterator[tuple[int, Tensor]]:
    """For queries `(N, d)` and a gallery `(n, d)`: index of a block's first query, and its similarities `(b, n)`.

    In float32 on the rows' device. A row of length zero (a dead encoder's) is similar to none: 0 everywhere.
    """
    units, others = F.normalize(queries.float(), dim=1), F.normalize(gallery.float(), dim=1)
    rows = max(1, _BLOCK // len(others))
    for start in range(0, len(units), rows):
        yield start, units[start : start + rows] @ others.mT
