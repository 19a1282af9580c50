"""Early stopping of a search's trials: the variant of asynchronous successive halving (ASHA) that stops trials.

A trial measures a validation score at rungs, after `min_resource * eta^k` of its budget. It stops unless its
configuration is among the best `1 / eta` of the configurations that have reached the rung so far. No trial waits for
another, and the first trial at a rung continues. Source: Li et al., MLSys 2020, arXiv 1810.05934, which pauses trials
and promotes some of them later. Optuna's `SuccessiveHalvingPruner` and Ray's `ASHAScheduler` stop trials permanently,
as this module does.

The seeds of one configuration are judged together. A configuration's score at a rung is the mean over its seeds that
have reached the rung. When one seed is stopped, the others stop too, at their next rung or before their first step.
If each seed were judged alone, a configuration of S seeds would pass a rung with a probability of `1 / eta^S`.

Scores are files in the store, one small file for each trial and rung. Files are created and never changed, so all
processes of all launches that share the store see the scores. This module imports no torch.
"""

import dataclasses
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from trainables.config import BUDGETS, ImagesTask
from trainables.selection.rounds import step_count
from trainables.store.files import Files, open_files

_log = logging.getLogger(__name__)

#: The most bytes of the file of a score.
_MOST_SCORE = 100


@dataclass(frozen=True, kw_only=True)
class EarlyStopping:
    """The stopping rule of a search, and the configuration to which it applies."""

    eta: int  # reduction factor, 2 or more
    min_resource: int  # the first rung, in the unit of the training budget
    search: str  # the name of the search in the records of trials that it stopped
    configuration: str  # the id that the seeds of one configuration share
    store: str  # the location of the store with the scores, for `open_files`
    folder: str  # the folder of this search in the store


@dataclass(frozen=True, kw_only=True)
class Stop:
    """The reason why a trial was stopped. `rung` and `score` are None if it was stopped before its first step."""

    reason: str
    search: str
    rung: int | None = None  # in the unit of the training budget
    score: float | None = None


def goes_on(score: float, others: Iterable[float], eta: int) -> bool:
    """Whether `score` is among the best `max(1, n // eta)` of all `n` scores. Larger is better; ties continue."""
    others = list(others)
    better = sum(other > score for other in others)
    return better < max(1, (len(others) + 1) // eta)


def rung_levels(budget: int, min_resource: int, eta: int) -> list[int]:
    """The rungs `min_resource * eta^k` for k = 0, 1, ... that are below the budget."""
    levels, level = [], min_resource
    while level < budget:
        levels.append(level)
        level *= eta
    return levels


def rung_steps(task: ImagesTask, images: int, rule: EarlyStopping) -> dict[int, int]:
    """Each rung by the number of steps after which it is reached. Of rungs with the same number, the last counts."""
    unit = next(name for name in BUDGETS if getattr(task.training, name) is not None)
    budget = getattr(task.training, unit)

    def steps(amount: int) -> int:
        part: dict[str, Any] = {unit: amount}
        return step_count(dataclasses.replace(task.training, **part), task.selection, images)

    levels = {steps(level): level for level in rung_levels(budget, rule.min_resource, rule.eta)}
    return {step: level for step, level in levels.items() if 0 < step < steps(budget)}


@dataclass(frozen=True, kw_only=True)
class Rungs:
    """The rungs of one trial, and the score that it measures there."""

    rule: EarlyStopping
    seed: int
    steps: dict[int, int]  # rung by step
    measure: Callable[[Any], float]  # validation score of a partly trained model; NaN if it has none

    @cached_property
    def _files(self) -> Files:
        return open_files(self.rule.store)

    def stop_before(self) -> Stop | None:
        """The stop of another seed of the configuration, so that this trial ends before its first step; or None."""
        return _asked(self._followed)

    def is_due(self, step: int) -> bool:
        """Whether there is a rung after the first `step` steps."""
        return step in self.steps

    def stop_at(self, step: int, model: Any) -> Stop | None:
        """Measure and store the score at the rung after `step` steps. Returns a stop, or None to continue.

        A model without a score continues: it is about to diverge.
        """
        score = self.measure(model)
        if score != score:
            return None
        return _asked(lambda: self._judge(self.steps[step], score))

    def _judge(self, rung: int, score: float) -> Stop | None:
        own = f"{self.rule.configuration}.{self.seed}"
        self._files.put(f"{self.rule.folder}/{rung}/{own}", repr(score).encode())
        if stop := self._followed():
            return dataclasses.replace(stop, rung=rung, score=score)
        means = self._means(rung)
        mean = means.pop(self.rule.configuration, score)  # unless somebody changed its file
        if goes_on(mean, means.values(), self.rule.eta):
            return None
        self._files.put(f"{self.rule.folder}/stopped/{own}", str(rung).encode())
        place = 1 + sum(other > mean for other in means.values())
        reason = f"place {place} of {len(means) + 1} configurations at rung {rung}, score {mean:.4f}"
        return Stop(reason=reason, search=self.rule.search, rung=rung, score=score)

    def _means(self, rung: int) -> dict[str, float]:
        """The mean score of each configuration over its seeds that have reached this rung."""
        scores: dict[str, list[float]] = defaultdict(list)
        names = self._files.names(f"{self.rule.folder}/{rung}")
        for name, content in zip(names, self._files.read_each(names, _MOST_SCORE), strict=True):
            with suppress(TypeError, ValueError):  # another file than a score
                scores[_trial_of(name)[0]].append(float(content))  # type: ignore[arg-type]
        return {configuration: fmean(own) for configuration, own in scores.items()}

    def _followed(self) -> Stop | None:
        """The stop of another seed, or None.

        A stop of this seed from before its worker was killed does not count: it is decided again.
        """
        for name in self._files.names(f"{self.rule.folder}/stopped"):
            configuration, seed = _trial_of(name)
            if configuration == self.rule.configuration and seed != str(self.seed):
                return Stop(reason=f"its configuration was stopped by seed {seed}", search=self.rule.search)
        return None


def _asked(judge: Callable[[], Stop | None]) -> Stop | None:
    """The decision of `judge`. If the store cannot be used, the trial continues without a decision."""
    try:
        return judge()
    except OSError as error:
        _log.warning("early stopping: the trial continues, since its store failed (%s)", error)
        return None


def _trial_of(name: str) -> tuple[str, str]:
    configuration, _, seed = name.rpartition("/")[2].partition(".")
    return configuration, seed
