"""Similarities between two sets of rows, computed in blocks. Nearest neighbours and retrieval use them."""

from collections.abc import Iterator

from torch import Tensor
from torch.nn import functional as F

#: Number of similarities in a block: 16 MB, for any number of rows. On an accelerator, where each block costs
#: launches, 128 MB.
_BLOCK = 2**22
_ACCELERATOR_BLOCK = 2**25


def cosine_blocks(queries: Tensor, gallery: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Cosine similarities of queries `(N, d)` and a gallery `(n, d)`: first query's index and `(b, n)` per block.

    The result is float32 on the device of the rows. A row of length zero, as from a collapsed encoder, has similarity
    0 to every row.
    """
    return inner_product_blocks(F.normalize(queries.float(), dim=1), F.normalize(gallery.float(), dim=1))


def euclidean_blocks(queries: Tensor, gallery: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Similarities that fall as the Euclidean distance grows, in blocks as in `cosine_blocks`.

    For a query q and a row x the similarity is (|q - m|^2 - |q - x|^2) / 2, where m is the mean row of the gallery.
    Without m, rounding would be larger for features far from zero.
    """
    others = gallery.float()
    mean = others.mean(dim=0)
    others = others - mean
    half_squares = others.square().sum(dim=1) / 2
    for start, products in inner_product_blocks(queries.float() - mean, others):
        yield start, products.sub_(half_squares)


def inner_product_blocks(queries: Tensor, gallery: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Inner products in blocks, as in `cosine_blocks` but without normalising the rows."""
    queries, others = queries.float(), gallery.float()
    rows = max(1, (_BLOCK if queries.is_cpu else _ACCELERATOR_BLOCK) // len(others))
    for start in range(0, len(queries), rows):
        yield start, queries[start : start + rows] @ others.mT
