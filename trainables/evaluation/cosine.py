"""Similarities of many rows with many rows, a block at a time."""

from collections.abc import Iterator

from torch import Tensor
from torch.nn import functional as F

#: Similarities of a block: 16 MB, whatever the number of rows.
_BLOCK = 2**22


def cosine_blocks(queries: Tensor, gallery: Tensor) -> Iterator[tuple[int, Tensor]]:
    """For queries `(N, d)` and a gallery `(n, d)`: index of a block's first query, and its similarities `(b, n)`.

    In float32 on the rows' device. A row of length zero (a dead encoder's) is similar to none: 0 everywhere.
    """
    return inner_product_blocks(F.normalize(queries.float(), dim=1), F.normalize(gallery.float(), dim=1))


def inner_product_blocks(queries: Tensor, gallery: Tensor) -> Iterator[tuple[int, Tensor]]:
    """As `cosine_blocks`, the rows being as long as they are."""
    queries, others = queries.float(), gallery.float()
    rows = max(1, _BLOCK // len(others))
    for start in range(0, len(queries), rows):
        yield start, queries[start : start + rows] @ others.mT
