"""Simulated studies of several losses under many kinds of noise, for the error and the width of decisions.

One percentage point is 0.01. Every loss has the same 24 configurations on a grid of 4 x 6. Its expected scores are a
hill. A trial has noise that its validation and its test score share, and noise of each split.
"""

from dataclasses import dataclass

import numpy as np

POINT = 0.01
GRID = np.stack(np.meshgrid(np.arange(4), np.arange(6), indexing="ij"), axis=-1).reshape(-1, 2)
CELLS = len(GRID)
WEIGHTS = np.full(CELLS, 1 / CELLS)
CHANCE = 0.1
TOP = 0.85
#: Deviation of a trial's test score, shared noise and noise of the test split together, of all seeds' shift.
NOISE, SEED = 1.0 * POINT, 0.6 * POINT
_SHARED, _TEST, _VALIDATION = 0.94, 0.35, 0.60

#: Noise of each loss where it is unequal, and shifts of each loss at each seed where these are its own, in points.
_FACTORS = np.array([1.0, 2.0, 0.7, 3.0, 1.5, 0.5, 2.5])
_OWN_SHIFTS = np.array([0.35, 0.7, 0.2, 1.4, 0.5, 0.35, 1.0])


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """How trials vary, for any number of losses."""

    unequal: bool = False  # another noise in each loss and each configuration
    freedom: float = np.inf  # of Student's t of the trials' noise
    shifts: str = (
        ""  # of each loss at each seed: "equal", "own", or those of "one", "several" or the "reference"
    )
    plane: float = (
        0.0  # in points: tilt of a loss's whole surface at each seed, an interaction with the cells
    )
    failing: tuple[int, ...] = ()  # cells in which trials fail
    fails: float = 0.0  # chance of a failure there
    together: bool = False  # half of the losses' seeds fail in all of these cells at once
    steps: int = 0  # scores come in steps of 1 / steps and are clipped to 1, near the ceiling
    missing: float = 0.0  # share of trials without a score


SCENARIOS = {
    "normal": Scenario(),
    "unequal": Scenario(unequal=True),
    "t3": Scenario(freedom=3),
    "shared": Scenario(shifts="equal"),
    "corner": Scenario(failing=(0, 1, 6), fails=0.3),
    "one cell": Scenario(failing=(0,), fails=0.5),
    "ceiling": Scenario(steps=200),
    "missing": Scenario(missing=0.04),
    "mixture": Scenario(failing=(0, 1, 2, 6, 7, 8), fails=0.15, together=True),
    "interaction": Scenario(plane=1.0),
    "own shifts": Scenario(shifts="own"),
    "one shifts": Scenario(shifts="one"),
    "several shifts": Scenario(shifts="several"),
    "reference": Scenario(shifts="reference"),
}


def hill(width: float, *, drop: float = 0.25) -> np.ndarray:
    """Expected scores `(24,)`: `TOP - drop (1 - exp(-d^2 / width^2))`, d the distance from the optimum."""
    away = (GRID - np.array([1.5, 2.3])) / 4 / width
    return TOP - drop * (1 - np.exp(-(away**2).sum(axis=1)))


def draw_studies(
    scenario: Scenario, means: np.ndarray, seeds: int, studies: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Test and validation scores and failures `(N, L, C, S)` of studies of losses with means `(L, C)`."""
    losses, shape = len(means), (studies, len(means), CELLS, seeds)
    noise = NOISE * np.ones((losses, CELLS))
    if scenario.unequal:
        noise *= np.resize(_FACTORS, losses)[:, None] * np.exp(
            0.6 * np.random.default_rng(1).normal(size=noise.shape)
        )
    level = means[:, :, None] + SEED * rng.normal(size=(studies, 1, 1, seeds))
    level = level + _shifts(scenario, losses)[:, None, None] * rng.normal(size=(studies, losses, 1, seeds))
    if scenario.plane:
        tilts = scenario.plane * POINT * rng.normal(size=(studies, losses, 2, seeds))
        level = level + ((GRID - GRID.mean(axis=0)) / GRID.std(axis=0)) @ tilts
    trial = rng.normal(size=shape)
    if np.isfinite(scenario.freedom):
        trial = rng.standard_t(scenario.freedom, size=shape) / np.sqrt(
            scenario.freedom / (scenario.freedom - 2)
        )
    level = level + _SHARED * noise[:, :, None] * trial
    test, validation = (
        level + part * noise[:, :, None] * rng.normal(size=shape) for part in (_TEST, _VALIDATION)
    )
    if scenario.steps:
        raised = (np.clip(item + 0.97 - TOP, 0, 1) for item in (test, validation))
        test, validation = (np.round(item * scenario.steps) / scenario.steps for item in raised)
    failed = _failures(scenario, shape, rng)
    test, validation = np.where(failed, CHANCE, test), np.where(failed, CHANCE - 1e-9, validation)
    lost = rng.random(shape) < scenario.missing if scenario.missing else np.zeros(shape, dtype=bool)
    return np.where(lost, np.nan, test), np.where(lost, np.nan, validation), failed & ~lost


def _shifts(scenario: Scenario, losses: int) -> np.ndarray:
    """Deviation `(L,)` of the shift that a seed gives to each loss."""
    shifts = {
        "": np.zeros(losses),
        "equal": np.full(losses, 0.7),
        "own": np.resize(_OWN_SHIFTS, losses),
        "one": 2.0 * (np.arange(losses) == 1),
        "several": 3.0 * ((np.arange(losses) > 0) & (np.arange(losses) <= losses // 4)),
        "reference": 2.0 * (np.arange(losses) == 0),
    }
    return POINT * shifts[scenario.shifts]


def _failures(scenario: Scenario, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if not scenario.failing:
        return np.zeros(shape, dtype=bool)
    there = np.isin(np.arange(CELLS), scenario.failing)[:, None]
    failed = there & (rng.random(shape) < scenario.fails)
    if not scenario.together:
        return failed
    blocks = (shape[0], shape[1], 1, shape[3])
    whole = there & (rng.random(blocks) < scenario.fails)
    return np.where(rng.random(blocks) < 0.5, whole, failed)
