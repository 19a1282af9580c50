"""Numerical rank of a set of embeddings."""

from torch import Tensor

from trainables.metrics.effective_rank import singular_values

#: Share of the largest singular value below which a direction counts as absent. Embeddings made in float32
#: carry rounding of about 1e-7 in every direction.
RELATIVE_TOLERANCE = 1e-5


def relative_rank(z: Tensor, tolerance: float = RELATIVE_TOLERANCE) -> int:
    """The number of singular values above `tolerance` times the largest, in dimensions.

    Relative, so that scaling the embeddings changes nothing. Shape: `(n, d)`, not centred. Raises
    `ValueError` for a zero matrix or a tolerance outside (0, 1).
    """
    return relative_rank_of(singular_values(z), tolerance)


def relative_rank_of(values: Tensor, tolerance: float = RELATIVE_TOLERANCE) -> int:
    """`relative_rank` from singular values that were computed already, falling."""
    if not 0.0 < tolerance < 1.0:
        raise ValueError(f"tolerance: got {tolerance!r}, must be > 0 and < 1")
    return int((values > tolerance * values[0]).sum())
