"""Metrics by loops over points and by numerical integration."""

import math
from itertools import pairwise

import numpy as np
from scipy.integrate import quad
from scipy.stats import beta

Points = np.ndarray


def pairs_of(z: Points) -> list[tuple[Points, Points]]:
    return [(z[i], z[j]) for i in range(len(z)) for j in range(i)]


def uniformity(z: Points) -> float:
    return math.log(np.mean([math.exp(-2 * ((x - y) ** 2).sum()) for x, y in pairs_of(z)]))


def energy_distance(z: Points) -> float:
    d = z.shape[1]
    uniform, _ = quad(lambda s: math.sqrt(2 - 2 * s) * inner_product_density(s, d), -1, 1, limit=200)
    return uniform - float(np.mean([math.sqrt(((x - y) ** 2).sum()) for x, y in pairs_of(z)]))


def gaussian_mmd(z: Points) -> float:
    d = z.shape[1]
    uniform, _ = quad(lambda s: math.exp(4 * s - 4) * inner_product_density(s, d), -1, 1, limit=200)
    return math.exp(uniformity(z)) - uniform


def inner_product_density(s: float, d: int) -> float:
    """Of `x.y` for independent uniform points: that of `(1 + s) / 2`, which is Beta distributed."""
    return float(beta.pdf((1 + s) / 2, (d - 1) / 2, (d - 1) / 2)) / 2


def wasserstein_uniformity(z: Points) -> float:
    """The integral of `|F_n - F|` between neighbouring inner products, cut where the two cross."""
    d = z.shape[1]
    products = sorted(float(np.clip(x @ y, -1.0, 1.0)) for x, y in pairs_of(z))
    cuts = [-1.0, *products, 1.0]
    total = 0.0
    for rank, (low, high) in enumerate(pairwise(cuts)):
        level = rank / len(products)
        crossing = min(max(2 * float(beta.ppf(level, (d - 1) / 2, (d - 1) / 2)) - 1, low), high)
        for start, stop in ((low, crossing), (crossing, high)):
            area, _ = quad(lambda s, level=level: inner_product_cdf(s, d) - level, start, stop, limit=200)
            total += abs(area)
    return total


def inner_product_cdf(s: float, d: int) -> float:
    return float(beta.cdf((1 + s) / 2, (d - 1) / 2, (d - 1) / 2))


def effective_rank(z: Points) -> float:
    values = np.sqrt(np.clip(np.linalg.eigvalsh(z.T @ z), 0, None))
    shares = [value / values.sum() for value in values if value > 0]
    return math.exp(-sum(share * math.log(share) for share in shares))
