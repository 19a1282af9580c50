"""How often the decisions of simulated studies are wrong, how often their intervals hold, and how wide they are.

The simulated code is that of the report: `loss_values`, `simultaneous_intervals` and `verdict_signs`.
"""

import functools
from dataclasses import dataclass

import numpy as np

from analysis.statistics.comparisons.chances import loss_chances
from analysis.statistics.comparisons.decisions import QUESTIONS, verdict_signs
from analysis.statistics.comparisons.looks import FIRST, Look
from analysis.statistics.comparisons.loss_values import LossValues, fails_sometimes, loss_values
from analysis.statistics.comparisons.simultaneous import Intervals, simultaneous_intervals
from tests.analysis.coverage.noisy_studies import (
    SCENARIOS,
    TOP,
    WEIGHTS,
    Scenario,
    draw_studies,
    hill,
)

TOLERANCE = 0.02
#: What is true of the losses: all equal; all others lower by the tolerance; all others with a price of not tuning
#: that is higher by the tolerance; unequal hills.
TRUTHS = ("equal", "lower", "steeper", "different")
#: Widths of the hills where they differ; the first is that of all losses elsewhere.
_WIDTHS = (0.8, 1.1, 0.6, 0.9, 0.7, 1.0, 0.5)
#: Seeds whose choices give the true values, and error of these values that may not count as a wrong decision.
_TRUE_SEEDS, _TRUE_ERROR = 20_000, 2e-4


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One kind of study."""

    scenario: str
    truth: str
    losses: int
    seeds: int

    @property
    def step(self) -> float:
        """The step of scores."""
        steps = SCENARIOS[self.scenario].steps
        return 1 / steps if steps else 0.0

    @property
    def means(self) -> np.ndarray:
        """Expected scores `(L, C)`."""
        same = np.broadcast_to(hill(_WIDTHS[0]), (self.losses, len(WEIGHTS)))
        others = (np.arange(self.losses) > 0)[:, None]
        if self.truth == "lower":
            return same - TOLERANCE * others
        if self.truth == "steeper":
            return np.where(others, TOP - (TOP - same) * (1 + TOLERANCE / (TOP - same[0].mean())), same)
        return (
            np.stack([hill(width) for width in np.resize(_WIDTHS, self.losses)])
            if self.truth == "different"
            else same
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One question over all studies of a setting. Rates are NaN where no study has an interval."""

    wrong: np.ndarray  # (N,) of bool: any wrong decision
    held: float  # share of studies in which all simultaneous intervals hold, of those with one
    covered: float  # share of the intervals of single comparisons that hold
    width: float  # median full width of the interval of a single comparison, in points
    simultaneous: float  # median full width of the simultaneous interval, in points
    given: float  # share of comparisons that have an interval
    decided: float  # share of comparisons that are decided
    found: np.ndarray  # (L - 1,), share of studies in which each loss is better or worse
    found_alone: np.ndarray  # (L - 1,), the same by the interval of the single comparison
    difference: np.ndarray  # (L - 1,), the true differences, in points


def simulate_decisions(
    setting: Setting, *, studies: int, seed: int = 0, error: float = FIRST
) -> dict[str, Outcome]:
    """The outcome of each question."""
    drawn = draw_studies(
        SCENARIOS[setting.scenario], setting.means, setting.seeds, studies, np.random.default_rng(seed)
    )
    values = values_of(*drawn, step=setting.step)
    family = (setting.losses - 1) * len(QUESTIONS)
    return {
        name: _outcome(
            simultaneous_intervals(values, 0, name, error, family), true_differences(setting)[name]
        )
        for name in QUESTIONS
    }


def family_error(outcomes: dict[str, Outcome]) -> float:
    """Share of studies with any wrong decision."""
    return float(np.any([item.wrong for item in outcomes.values()], axis=0).mean())


def error_over_looks(setting: Setting, first: int, *, studies: int, seed: int = 0) -> float:
    """Share of studies with any wrong decision at any look, from `first` seeds to those of the setting."""
    test, validation, failed = draw_studies(
        SCENARIOS[setting.scenario], setting.means, setting.seeds, studies, np.random.default_rng(seed)
    )
    wrong = np.zeros(studies, dtype=bool)
    truth, family = true_differences(setting), (setting.losses - 1) * len(QUESTIONS)
    for seeds in range(first, setting.seeds + 1):
        values = values_of(test[..., :seeds], validation[..., :seeds], failed[..., :seeds], step=setting.step)
        error = Look(first=first, seeds=seeds).error
        for name in QUESTIONS:
            wrong |= _outcome(simultaneous_intervals(values, 0, name, error, family), truth[name]).wrong
    return float(wrong.mean())


def values_of(
    test: np.ndarray, validation: np.ndarray, failed: np.ndarray, *, step: float = 0.0
) -> list[LossValues]:
    """The values of each loss, from `(N, L, C, S)`, of scores in steps of `step`."""
    sporadic = fails_sometimes(failed).any(axis=-1)
    return [
        loss_values(
            [test[:, at]], [validation[:, at]], [WEIGHTS], [failed[:, at]], step=step, sporadic=sporadic
        )
        for at in range(test.shape[1])
    ]


@functools.cache
def _truth(scenario: Scenario, truth: str, losses: int) -> np.ndarray:
    """True values `(Q, L)` from the choices of many seeds."""
    setting = Setting(scenario="normal", truth=truth, losses=losses, seeds=1)
    test, validation, _ = draw_studies(scenario, setting.means, _TRUE_SEEDS, 1, np.random.default_rng(99))
    found = []
    for at in range(losses):
        known = np.isfinite(test[0, at])
        expected = np.where(known, test[0, at], 0.0).sum(axis=-1) / known.sum(axis=-1)
        chances = loss_chances([validation[0, at]], [WEIGHTS])
        tuned, worst = (item.mean(axis=-1) @ expected for item in (chances.tuned, chances.worst))
        average = WEIGHTS @ expected
        found.append([tuned - average, tuned, average, average - worst])
    return np.array(found).T


def true_differences(setting: Setting) -> dict[str, np.ndarray]:
    """True difference `(L - 1,)` of each loss from the first, by question."""
    scenario = SCENARIOS[setting.scenario]
    values = _truth(scenario, setting.truth, setting.losses)
    differences = values[:, 1:] - values[:, :1]
    if setting.truth in ("equal", "lower") and not scenario.unequal and not scenario.steps:
        # known without simulation: losses with the same surface choose alike
        shift = -TOLERANCE if setting.truth == "lower" else 0.0
        differences = np.array([[0.0], [shift], [shift], [0.0]]) * np.ones_like(differences)
    return dict(zip(QUESTIONS_IN_ORDER, differences, strict=True))


#: The order of the rows of `_truth`.
QUESTIONS_IN_ORDER = ("price_of_not_tuning", "tuned", "average", "price_of_bad_luck")


def _outcome(found: Intervals, truth: np.ndarray) -> Outcome:
    value, half, alone = found.value[:, 1:], found.half[:, 1:], found.alone[:, 1:]
    given = found.reason[:, 1:] == 0
    signs = verdict_signs(value - half, value + half, TOLERANCE, price=False)
    wrong = (signs == 1) & (np.abs(truth) >= TOLERANCE - _TRUE_ERROR)
    wrong |= (signs == 2) & (truth <= _TRUE_ERROR)
    wrong |= (signs == 3) & (truth >= -_TRUE_ERROR)
    off = np.abs(value - truth)
    any_given = given.any(axis=1)
    nothing = not given.any()
    return Outcome(
        wrong=(wrong & given).any(axis=1),
        held=np.nan
        if nothing
        else float((~given | (off <= half + _TRUE_ERROR)).all(axis=1)[any_given].mean()),
        covered=np.nan if nothing else float((off <= alone)[given].mean()),
        width=np.nan if nothing else 200 * float(np.median(alone[given])),
        simultaneous=np.nan if nothing else 200 * float(np.median(half[given])),
        given=float(given.mean()),
        decided=float(((signs > 0) & given).mean()),
        found=((signs > 1) & given).mean(axis=0),
        found_alone=((np.abs(value) > alone) & given).mean(axis=0),
        difference=100 * truth,
    )
