"""The relative rank: the numerical rank of a set of embeddings."""

from torch import Tensor

from trainables.metrics.effective_rank import singular_values

#: A direction counts if its singular value exceeds this fraction of the largest one. Embeddings computed in float32
#: have rounding errors of about 1e-7 in every direction.
RELATIVE_TOLERANCE = 1e-5


def relative_rank(z: Tensor, tolerance: float = RELATIVE_TOLERANCE) -> int:
    """The number of singular values above `tolerance` times the largest, in dimensions.

    The threshold is relative, so scaling the embeddings has no effect. Shape: `(n, d)`. The rows are not centred.
    Raises `ValueError` for a zero matrix or a tolerance outside (0, 1).
    """
    return relative_rank_of(singular_values(z), tolerance)


def relative_rank_of(values: Tensor, tolerance: float = RELATIVE_TOLERANCE) -> int:
    """`relative_rank` from singular values that are already computed, in descending order."""
    if not 0.0 < tolerance < 1.0:
        raise ValueError(f"tolerance: got {tolerance!r}, must be > 0 and < 1")
    return int((values > tolerance * values[0]).sum())
