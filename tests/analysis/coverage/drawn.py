"""Simulated studies of drawn configurations: identical losses, with own or common points, at several seeds."""

import numpy as np

from analysis.statistics.intervals.configurations import crossed_difference, crossed_mean

POINTS = 32
LOSSES = 4
#: By name: the noise of trials, of seeds, and of seeds within a loss.
NOISE = {"hill": (0.02, 0.005, 0.002), "flat": (0.02, 0.02, 0.01), "corner": (0.02, 0.005, 0.002)}


def surface_of(name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The true accuracy at places of the unit square; 6 % of the corner surface fails."""
    hill = 0.88 - (x - 0.5) ** 2 - 0.1 * (y - 0.6) ** 2
    if name == "flat":
        return np.full(x.shape, 0.8)
    return np.where((x > 0.8) & (y > 0.7), 0.1, hill) if name == "corner" else hill


def truth(name: str) -> float:
    """The average over the space."""
    grid = (np.arange(1000) + 0.5) / 1000
    return float(surface_of(name, *np.meshgrid(grid, grid)).mean())


def even(count: int) -> np.ndarray:
    """Equal shares."""
    return np.full(count, 1 / count)


def draw(name: str, points: int, seeds: int, rng: np.random.Generator, *, common: bool) -> list[np.ndarray]:
    """The scores `(C, S)` of identical losses. Noise grows along x by a factor of three."""
    noise, of_seeds, of_losses = NOISE[name]
    shift, places, found = of_seeds * rng.normal(size=seeds), rng.random((points, 2)), []
    for _ in range(LOSSES):
        places = places if common else rng.random((points, 2))
        level = surface_of(name, *places.T)[:, None] + shift + of_losses * rng.normal(size=seeds)
        found.append(level + noise * (0.5 + places[:, :1]) * rng.normal(size=(points, seeds)))
    return found


def found_of(*, surface: str, points: int, seeds: int, studies: int, seed: int = 0) -> dict[str, float]:
    """Coverage of the average, its median width, and shares of studies with a false difference."""
    rng, exact, weights = np.random.default_rng(seed), truth(surface), even(points)
    level = 1 - 0.05 / (LOSSES - 1)
    held, widths, own, common = [], [], [], []
    for _ in range(studies):
        first, *others = draw(surface, points, seeds, rng, common=False)
        estimate = crossed_mean(first, weights).estimate()
        held.append(estimate.low <= exact <= estimate.high)
        widths.append(estimate.high - estimate.low)
        found = [crossed_difference(other, first, weights, weights).estimate(level=level) for other in others]
        own.append(any(item.low > 0 or item.high < 0 for item in found))
        first, *others = draw(surface, points, seeds, rng, common=True)
        found = [crossed_mean(other - first, weights).estimate(level=level) for other in others]
        common.append(any(item.low > 0 or item.high < 0 for item in found))
    return {
        "average": float(np.mean(held)),
        "median width": float(np.median(widths)),
        "own points, any of three differs": float(np.mean(own)),
        "common points, any of three differs": float(np.mean(common)),
    }
