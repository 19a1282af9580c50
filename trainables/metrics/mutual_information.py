"""Estimates of the views' mutual information that losses give for free."""

import math


def infonce_bound(loss: float, candidates: int) -> float:
    """`log K - L` in nats: a lower bound on the mutual information, and never above `log K`.

    `loss` is the mean cross-entropy L of finding the positive among `candidates` K, the positive included (K
    = M for `infonce`, 2M - 1 for `ntxent`). Raises `ValueError` for K < 2. Source: van den Oord et al. 2018,
    arXiv 1807.03748, section 2.3; Poole et al. 2019, arXiv 1905.06922.
    """
    return _log_candidates(candidates) - loss


def flatnce_bound(log_xi: float, candidates: int) -> float:
    """`log K - log xi` in nats, FlatNCE's counterpart, with `xi` the sum over the K - 1 negatives alone.

    `log_xi` is the mean of `log xi` over the anchors, as `FlatNCE.per_anchor` gives it; K counts the
    positive too. Not limited by `log K`. With the best critic it lies at or above the mutual information,
    being the leave-one-out bound of Poole et al. 2019 (arXiv 1905.06922) plus `log(K / (K - 1))`.
    Raises `ValueError` for K < 2. Source: Chen et al. 2021, arXiv 2107.01152.
    """
    return _log_candidates(candidates) - log_xi


def _log_candidates(candidates: int) -> float:
    if candidates < 2:
        raise ValueError(f"candidates: got {candidates!r}, must be at least 2, the positive included")
    return math.log(candidates)
