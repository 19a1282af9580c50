"""Scores on a grid of two axes whose shares of the variance are known."""

import numpy as np

EVEN = [np.full(4, 0.25), np.full(3, 1 / 3)]


def grid(rng: np.random.Generator, noise: float, *, seeds: int = 5, shift: float = 0.5) -> np.ndarray:
    """Variance 0.25 of the first axis (4 values), 0.06 of the second (3), 0.12 of both together."""
    rows = 0.5 * np.array([1.0, -1.0, 1.0, -1.0])[:, None]
    columns = 0.3 * np.array([1.0, 0.0, -1.0])
    both = np.sqrt(0.12) * np.array([1.0, 1.0, -1.0, -1.0])[:, None] * np.array([1.0, -2.0, 1.0]) / np.sqrt(2)
    cells = (rows + columns + both)[..., None]
    return cells + shift * rng.normal(size=seeds) + noise * rng.normal(size=(4, 3, seeds))
