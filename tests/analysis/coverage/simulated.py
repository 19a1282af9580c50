"""Simulated studies of the demo's losses, and how often intervals hold the exact value."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from analysis.demo.law import BATCH_SIZES, DATA, LOSSES, DemoLoss
from analysis.demo.noise import Noise, draw_scores
from analysis.statistics.intervals.student import LEVEL, Estimate

NOISE = Noise()
CELLS = LOSSES[0].cell_means().size
SHAPE = (len(BATCH_SIZES), CELLS // len(BATCH_SIZES))
WEIGHTS = np.full(CELLS, 1 / CELLS)
STUDIES = 1000


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Two losses, the first of them on a second data set too, at a number of seeds."""

    loss: DemoLoss
    rival: DemoLoss
    seeds: int
    missing: float = 0.0  # share of trials that are lost at random

    @property
    def elsewhere(self) -> DemoLoss:
        """The first loss on the second data set."""
        return self.loss.on(DATA[1])


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """One simulated study: scores `(C, S)`, paired by seed. Equal by identity, so that scores can share parts."""

    setting: Setting
    test: np.ndarray
    validation: np.ndarray
    rival_test: np.ndarray
    rival_validation: np.ndarray
    elsewhere: tuple[np.ndarray, np.ndarray]  # test and validation on the second data set
    rng: np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Held:
    """Whether one interval, or what share of several, held the exact value; NaN where there was none."""

    share: float
    conservative: bool = False


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How often intervals held over studies that had one."""

    coverage: float
    error: float  # Monte-Carlo standard error
    intervals: int  # studies that had one
    conservative: bool  # whether it says so

    @property
    def sound(self) -> bool:
        """Whether the coverage is within three errors of the level, or above it and marked as conservative."""
        off = self.coverage - LEVEL
        return off >= -3 * self.error and (off <= 3 * self.error or self.conservative)


def simulate(setting: Setting, rng: np.random.Generator, studies: int = STUDIES) -> Iterable[Study]:
    """Studies one after the other; all arrays are drawn at once."""
    luck = rng.standard_normal((studies, setting.seeds))
    drawn = [
        draw_scores(loss.cell_means(), loss.failed(), NOISE, seed_luck, rng)
        for loss, seed_luck in (
            (setting.loss, luck),
            (setting.rival, luck),
            (setting.elsewhere, rng.standard_normal(luck.shape)),
        )
    ]
    for test, validation in drawn:
        lost = rng.random(test.shape) < setting.missing
        test[lost] = validation[lost] = np.nan
    for n in range(studies):
        (test, validation), (rival_test, rival_validation), (far_test, far_validation) = (
            (pair[0][n], pair[1][n]) for pair in drawn
        )
        yield Study(
            setting=setting,
            test=test,
            validation=validation,
            rival_test=rival_test,
            rival_validation=rival_validation,
            elsewhere=(far_test, far_validation),
            rng=rng,
        )


def one(estimate: Estimate, exact: float) -> Held:
    """Whether the interval of an estimate contains the exact value, with a tolerance of 1e-9 for rounding."""
    if not estimate.has_interval:
        assert estimate.note, "no interval and no reason"
        return Held(share=math.nan)
    inside = estimate.low - 1e-9 <= exact <= estimate.high + 1e-9
    return Held(share=float(inside), conservative="conservative" in estimate.method)


def each(low: np.ndarray, high: np.ndarray, exact: np.ndarray) -> Held:
    """The share of the existing intervals that contain their exact values."""
    inside = (low - 1e-9 <= exact) & (exact <= high + 1e-9)
    known = np.isfinite(low)
    return Held(share=float(inside[known].mean()) if known.any() else math.nan)


def together(low: np.ndarray, high: np.ndarray, exact: np.ndarray, *, conservative: bool = False) -> Held:
    """Whether all of several intervals hold."""
    held = each(low, high, exact)
    return Held(
        share=math.nan if math.isnan(held.share) else float(held.share == 1), conservative=conservative
    )


def coverage(held: Iterable[Held]) -> Coverage:
    """The share of intervals that held, over studies.

    If all shares are 0 or 1, the error is computed from the level, so it is not 0 when every interval held.
    """
    found = [item for item in held if not math.isnan(item.share)]
    shares = np.array([item.share for item in found])
    spread = math.sqrt(LEVEL * (1 - LEVEL)) if set(shares) <= {0.0, 1.0} else float(shares.std(ddof=1))
    return Coverage(
        coverage=float(shares.mean()) if len(shares) else math.nan,
        error=spread / math.sqrt(max(len(shares), 1)),
        intervals=len(shares),
        conservative=any(item.conservative for item in found),
    )


Score = Callable[[Study], Held]


def coverages(
    scores: dict[str, Score], setting: Setting, *, seed: int, studies: int = STUDIES
) -> dict[str, Coverage]:
    """Of each score over simulated studies."""
    held: dict[str, list[Held]] = {name: [] for name in scores}
    for study in simulate(setting, np.random.default_rng(seed), studies):
        for name, score in scores.items():
            held[name].append(score(study))
    return {name: coverage(items) for name, items in held.items()}
