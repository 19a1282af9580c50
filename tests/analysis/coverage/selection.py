"""Coverage of scores over ordered pairs of seeds: where the selection is luck, clear, or near a ceiling."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.pairs import pair_interval
from analysis.statistics.intervals.student import student_interval
from analysis.statistics.scores.pairs_of_seeds import average_pairs, tuned_pairs, worst_pairs

CELLS = 24
WEIGHTS = np.full(CELLS, 1 / CELLS)
SEEDS = (2, 3, 5, 10, 20)
#: Studies simulated at once.
_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Cell means with normal noise: of a seed, of a trial's encoder, and of each of its two scores."""

    means: np.ndarray  # (C,)
    seed: float = 0.0  # deviation of what a seed adds to all cells
    trial: float = 0.007  # deviation of the encoder, shared by validation and test
    own: float = 0.007  # deviation of each score by itself
    step: float = 0.0  # of the metric; scores are then clipped to [0, 1]

    def draw(self, studies: int, seeds: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Test and validation `(studies, C, seeds)`."""
        shape = (studies, len(self.means), seeds)
        shared = self.means[:, None] + self.seed * rng.normal(size=(studies, 1, seeds))
        shared = shared + self.trial * rng.normal(size=shape)
        test, validation = (shared + self.own * rng.normal(size=shape) for _ in range(2))
        if self.step:
            test, validation = (
                np.round(np.clip(x, 0, 1) / self.step) * self.step for x in (test, validation)
            )
        return test, validation


_PLACES = np.linspace(-1, 1, CELLS)
SURFACES = {
    "flat": Surface(means=np.full(CELLS, 0.8)),
    "flat, seeds differ": Surface(means=np.full(CELLS, 0.8), seed=0.005),
    "hill": Surface(means=0.85 - 0.1 * _PLACES**2),
    "hill, seeds differ": Surface(means=0.85 - 0.1 * _PLACES**2, seed=0.01),
    "ceiling": Surface(means=0.99 - 0.05 * _PLACES**2, step=1 / 200),
    "ceiling, seeds differ": Surface(means=0.99 - 0.05 * _PLACES**2, seed=0.005, step=1 / 200),
    "ceiling, seeds differ much": Surface(means=0.99 - 0.05 * _PLACES**2, seed=0.01, step=1 / 200),
}


def scores_of(test: np.ndarray, validation: np.ndarray) -> dict[str, np.ndarray]:
    """Values `(..., S, S)` of every score."""
    tuned, average = tuned_pairs(test, validation), average_pairs(test, WEIGHTS)
    worst = worst_pairs(test, validation, WEIGHTS)
    return {
        "tuned": tuned,
        "price of not tuning": tuned - average,
        "price of bad luck": average - worst,
    }


def selection_coverage(
    surface: Surface, seeds: int, *, studies: int, rng: np.random.Generator
) -> dict[str, float]:
    """Share of studies whose interval holds the exact value: of each score, and of its difference of two losses.

    The exact values are means over 40,000 other pairs of seeds. The two losses have the same surface and independent
    noise. "best cell" is Student's interval of the cell with the highest mean, with the metric's step.
    """
    truth = _truth(surface, rng)
    held: dict[str, list[np.ndarray]] = {}
    for size in _sizes(studies):
        (test, validation), other = surface.draw(size, seeds, rng), surface.draw(size, seeds, rng)
        rival = scores_of(*other)
        for name, values in scores_of(test, validation).items():
            for told, exact, part in (
                (name, truth[name], values),
                (f"difference: {name}", 0.0, values - rival[name]),
            ):
                _, low, high = pair_interval(part, step=surface.step)
                held.setdefault(told, []).append((low - 1e-9 <= exact) & (exact <= high + 1e-9))
        best = int(surface.means.argmax())
        _, low, high = student_interval(test[:, best], step=surface.step)
        held.setdefault("best cell", []).append(
            (low - 1e-9 <= truth["best cell"]) & (truth["best cell"] <= high + 1e-9)
        )
    return {name: float(np.concatenate(parts).mean()) for name, parts in held.items()}


def _truth(surface: Surface, rng: np.random.Generator) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for size in _sizes(20_000):
        test, validation = surface.draw(size, 2, rng)
        for name, values in scores_of(test, validation).items():
            found.setdefault(name, []).append(float(np.nanmean(values)))
        found.setdefault("best cell", []).append(float(test[:, int(surface.means.argmax())].mean()))
    return {name: float(np.mean(values)) for name, values in found.items()}


def _sizes(total: int) -> Iterator[int]:
    for start in range(0, total, _BATCH):
        yield min(_BATCH, total - start)
