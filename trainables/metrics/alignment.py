"""The alignment of positive pairs."""

from torch import Tensor

from trainables.metrics.points import check_unit_norm


def alignment(z_a: Tensor, z_b: Tensor) -> float:
    """`mean_i ||u_i - v_i||^2`, a squared distance: 0 when the views coincide, 2 on average for unrelated directions.

    Shapes: both `(n, d)`, unit-norm rows. Raises `ValueError` for anything else.
    Source: Wang and Isola 2020, arXiv 2005.10242, section 4.1, alpha = 2.
    """
    check_unit_norm("z_a", z_a)
    check_unit_norm("z_b", z_b)
    if z_a.shape != z_b.shape:
        raise ValueError(f"z_b: got shape {tuple(z_b.shape)}, must be z_a's {tuple(z_a.shape)}")
    return float((z_a.double() - z_b.double()).square().sum(-1).mean())
