"""Simulated studies with a best loss, and how often what is said of the recommendation is true."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from analysis.model.cells import Cells
from analysis.statistics.comparisons.recommend_loss import recommend_loss
from analysis.statistics.comparisons.recommendation import Recommendation
from tests.analysis import synthetic

LOSSES, CELLS, WORST, STUDIES = 5, 15, 0.1, 100
CLOSE = 1e-4  # expected scores are simulated, and known to about this
SEEDS = (3, 5, 10, 20)


@dataclass(frozen=True, kw_only=True)
class World:
    """Mean scores `(K, C)` of K losses, and how trials spread about them, in shares of 1."""

    means: np.ndarray
    trial: float = 0.008  # spread of a trial that validation and test share
    apart: float = 0.004  # spread of validation and of test alone
    seed: float = 0.004  # of a seed, in all trials
    loss: float = 0.006  # of a loss at a seed
    unequal: bool = False  # whether losses have from 0.4 to 2 times this spread
    heavy: bool = False  # Student's t with 3 degrees of freedom
    steps: float = 0.0  # scores are rounded to these steps, and cut at 1
    failing: float = 0.0  # chance of failure in the last third of the cells of each loss

    def draw(self, seeds: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Test and validation scores and failures `(K, C, S)`."""
        size = (*self.means.shape, seeds)
        scale = np.geomspace(0.4, 2.0, len(self.means))[:, None, None] if self.unequal else 1.0
        shared = self.seed * rng.standard_normal(seeds) + self.loss * rng.standard_normal((size[0], 1, seeds))
        luck = rng.standard_t(3, size) / np.sqrt(3) if self.heavy else rng.standard_normal(size)
        centre = self.means[..., None] + scale * (shared + self.trial * luck)
        test, validation = (centre + scale * self.apart * rng.standard_normal(size) for _ in range(2))
        if self.steps:
            test, validation = (
                np.clip(np.round(x / self.steps) * self.steps, 0, 1) for x in (test, validation)
            )
        failed = rng.random(size) < self.failing * (np.arange(size[1]) >= 2 * size[1] // 3)[:, None]
        return test, validation, failed


def _hills(heights: np.ndarray, *, width: float) -> np.ndarray:
    place = np.arange(CELLS) - np.linspace(3, 11, len(heights))[:, None]
    return heights[:, None] - (place / width) ** 2 / 100


_EQUAL, _ONE, _SPREAD = np.full(LOSSES, 0.9), np.array([0.93, *[0.9] * 4]), np.linspace(0.89, 0.91, LOSSES)

WORLDS = {
    "equal and flat": World(means=np.repeat(_EQUAL[:, None], CELLS, axis=1)),
    "equal hills": World(means=_hills(_EQUAL, width=2.0)),
    "one better by 3 points": World(means=_hills(_ONE, width=2.0)),
    "spread over 2 points": World(means=_hills(_SPREAD, width=2.0)),
    "unequal noise": World(means=_hills(_SPREAD, width=2.0), unequal=True),
    "heavy tails": World(means=_hills(_SPREAD, width=2.0), heavy=True),
    "losses shift with seeds": World(means=_hills(_SPREAD, width=2.0), loss=0.02),
    "ceiling in steps": World(means=_hills(_SPREAD + 0.09, width=2.0), steps=0.005),
    "failures in a corner": World(means=_hills(_SPREAD, width=20.0), failing=0.2),
    "rare failures in a corner": World(means=_hills(_SPREAD, width=20.0), failing=0.02),
}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What holds for one recommendation; NaN where it says nothing."""

    regrets: float  # all regrets are at most what is said
    best: float  # all losses that are the best are among those that may be
    score: float  # the expected score of the choice is in its interval
    alone: float  # one loss is recommended alone
    wrong: float  # ... and is not the best
    width: float  # the largest regret of the chosen loss that is not excluded
    bias: float  # estimate of the score of the choice minus the truth


def expected_scores(world: World, rng: np.random.Generator, draws: int = 20_000) -> np.ndarray:
    """Expected test scores `(K + 1,)` of what validation of one seed chooses: of each loss, and of all losses."""
    _, validation, failed = world.draw(draws, rng)
    seen = np.where(failed, -np.inf, validation)
    chosen = seen == seen.max(axis=1, keepdims=True)  # (K, C, draws), each of equal ones alike
    rate = world.failing * (np.arange(CELLS) >= 2 * CELLS // 3)
    test, _, _ = world.draw(draws, rng)  # rounding and the ceiling change means
    means = (1 - rate) * test.mean(axis=-1) + rate * WORST
    scores = (chosen * means[..., None]).sum(axis=1) / chosen.sum(axis=1)  # (K, draws)
    first = seen.max(axis=1) == seen.max(axis=(0, 1))
    choice = (first * scores).sum(axis=0) / first.sum(axis=0)
    return np.array([*scores.mean(axis=1), choice.mean()])


def recommendations(
    world: World, seeds: int, studies: int, rng: np.random.Generator
) -> Iterator[Recommendation]:
    """The recommendation of each simulated study."""
    for _ in range(studies):
        test, validation, failed = world.draw(seeds, rng)
        losses = {
            str(k): [_cells(str(k), test[k], validation[k], failed[k], world.steps)]
            for k in range(len(world.means))
        }
        yield recommend_loss(losses)


def truths(world: World, seeds: int, rng: np.random.Generator, studies: int = STUDIES) -> dict[str, float]:
    """Means over studies of the fields of `Truth`, and the share `told` of studies that say anything."""
    exact = expected_scores(world, rng)
    found = [_truth(each, exact) for each in recommendations(world, seeds, studies, rng)]
    said = [each for each in found if each is not None]
    told = {"told": len(said) / studies}
    if not said:
        return told
    return told | {
        name: float(np.mean([getattr(each, name) for each in said])) for name in Truth.__dataclass_fields__
    }


def _truth(found: Recommendation, exact: np.ndarray) -> Truth | None:
    if found.reason:
        return None
    losses, choice = exact[:-1], exact[-1]
    regret = losses.max() - losses
    said = {int(each.loss): each for each in found.candidates}
    return Truth(
        regrets=float(all(each.regret.high >= regret[k] - CLOSE for k, each in said.items())),
        best=float(all(said[k].may_be_best for k in np.flatnonzero(regret <= CLOSE).tolist())),
        score=float(found.score.low - CLOSE <= choice <= found.score.high + CLOSE),
        alone=float(found.is_clear),
        wrong=float(found.is_clear and regret[int(found.chosen.loss)] > CLOSE),
        width=found.regret.high,
        bias=found.score.value - choice,
    )


def _cells(loss: str, test: np.ndarray, validation: np.ndarray, failed: np.ndarray, step: float) -> Cells:
    lost = np.where(failed, np.nan, 1.0)
    made = synthetic.cells(loss, (lost * test).reshape(3, 5, -1), (lost * validation).reshape(3, 5, -1))
    status = np.where(failed, "diverged", made.status).astype(object)
    return replace(made, status=status, metric=replace(made.metric, step=step))
