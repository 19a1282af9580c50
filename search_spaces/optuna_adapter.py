"""Adaptive search with Optuna: one Optuna study for each loss suggests configurations and receives their scores.

`study.searches` and the launch use this module. Optuna's studies are in one journal file, an append-only log that
`optuna-dashboard FILE` can open. Its locks use atomic links and renames, which network file systems support. SQLite's
locks use `fcntl`, which many network file systems break. Only the suggested configurations in the journal matter:
scores come from records. A lost journal can be made again by asking again, because the same history and seed give
the same suggestions.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from search_spaces.axes import Axis, Range
from search_spaces.space import Point, Space, Tied
from trainables.config import Scalar


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """A configuration that was stopped early, with its rung and its score there if they are known."""

    rung: int | None = None
    score: float | None = None


#: The outcome of a configuration: its score (larger is better), `Pruned` if it was stopped, or None if it still runs.
Outcome = float | Pruned | None

_STARTED = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED)
_POINT = "point"  # the attribute of Optuna's trial that holds the configuration, rounded as it runs


def _tpe(seed: int, startup: int) -> BaseSampler:
    """Tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011).

    The constant liar counts running configurations as bad, so that configurations of the same batch differ more.
    """
    with warnings.catch_warnings():
        # Before Optuna 5, constant_liar is experimental.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(seed=seed, n_startup_trials=startup, constant_liar=True)


def _gp(seed: int, startup: int) -> BaseSampler:
    """Gaussian process. Hyperparameters that only some configurations have get random values."""
    return GPSampler(seed=seed, n_startup_trials=startup, warn_independent_sampling=False)


#: Functions that make the samplers of `search_spaces.designs.optuna` from a seed and the number of random
#: configurations.
MAKERS: dict[str, Callable[[int, int], BaseSampler]] = {
    "tpe": _tpe,
    "gp": _gp,
    "random": lambda seed, startup: RandomSampler(seed=seed),
}


@dataclass(frozen=True, kw_only=True)
class SamplerConfig:
    """A sampler by name, its seed, and how many random configurations come first."""

    name: str
    seed: int
    startup: int

    def at(self, index: int) -> BaseSampler:
        """The sampler for the configuration with this index. Each index has its own seed.

        With one seed for all, a search that continues after an interruption would draw the same points again.
        """
        (seed,) = np.random.SeedSequence([self.seed, index]).generate_state(1)
        return MAKERS[self.name](int(seed), self.startup)


class Search:
    """The search of one loss in a journal, open for writing."""

    def __init__(self, journal: Path, name: str, *, space: Space, sampler: SamplerConfig) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # otherwise it logs every trial
        journal.parent.mkdir(parents=True, exist_ok=True)
        self._space, self._sampler = space, sampler
        self._asked: set[int] = set()
        self._storage = _storage(journal)
        self._study = optuna.create_study(
            storage=self._storage, study_name=name, direction="maximize", load_if_exists=True
        )

    @property
    def started(self) -> int:
        """The number of configurations that were asked for, without those that wait to be asked for again."""
        return len(self._trials(*_STARTED))

    @property
    def waiting(self) -> int:
        """The number of interrupted configurations. `ask` returns these first."""
        return len(self._trials(TrialState.WAITING))

    def decided(self) -> list[Point]:
        """Every configuration that was asked for, in this order. The list may contain one more than once."""
        return _decided(self._study)

    def ask(self) -> Point:
        """The next configuration. It counts as running from then on."""
        self._study.sampler = self._sampler.at(self.started)
        trial = self._study.ask()
        self._asked.add(trial.number)
        point = suggest_point(trial, self._space)
        trial.set_user_attr(_POINT, point)
        return point

    def tell(self, outcome: Callable[[Point], Outcome]) -> None:
        """Report the outcomes of running configurations that have ended. Earlier reports of other processes stay."""
        for trial in self._trials(TrialState.RUNNING):
            result = outcome(trial.user_attrs[_POINT]) if _POINT in trial.user_attrs else None
            if isinstance(result, Pruned):
                self._tell_pruned(trial, result)
            elif result is not None:
                self._tell(trial, values=result)

    def _tell_pruned(self, trial: FrozenTrial, result: Pruned) -> None:
        """Report a pruned configuration with its score at the rung.

        TPE orders pruned configurations by this score, after all that ended normally.
        """
        if result.rung is not None and result.score is not None:
            with suppress(optuna.exceptions.UpdateFinishedTrialError):
                self._storage.set_trial_intermediate_value(trial._trial_id, result.rung, result.score)
        self._tell(trial, state=TrialState.PRUNED)

    def _tell(self, trial: FrozenTrial, values: float | None = None, state: TrialState | None = None) -> None:
        """Report an outcome. Another process may report it first, also between Optuna's check and its write."""
        with suppress(optuna.exceptions.UpdateFinishedTrialError):
            self._study.tell(trial.number, values, state, skip_if_finished=True)

    def interrupt(self, *, everyones: bool = False) -> None:
        """Interrupt running configurations: the Optuna trial fails, and a copy of it waits to be asked for again.

        By default this includes only configurations that this object asked for; with `everyones`, all. Configurations
        of other processes must not be interrupted while these processes are alive.
        """
        for trial in self._trials(TrialState.RUNNING):
            if everyones or trial.number in self._asked:
                self._study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
                if _POINT in trial.user_attrs:
                    self._study.enqueue_trial(trial.params, user_attrs={_POINT: trial.user_attrs[_POINT]})

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states)


def read_decided(journal: Path, name: str) -> list[Point]:
    """The configurations that a search asked for; empty if there is no such search. Writes nothing.

    Raises `ValueError` for a journal that cannot be read.
    """
    if not journal.is_file():
        return []
    try:
        return _decided(optuna.load_study(storage=_storage(journal), study_name=name))
    except KeyError:
        return []


def repair_journal(journal: Path) -> None:
    """Remove the incomplete last line of a process that was killed while writing. No other process may be writing."""
    if not journal.is_file():
        return
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with journal.open("r+b") as file:
            file.truncate(whole)


def suggest_point(trial: optuna.Trial, space: Space) -> Point:
    """Ask the trial for every hyperparameter that varies. Each case of a tied one has its own name in Optuna."""
    free = {name: _suggest(trial, name, axis) for name, axis in space.items() if not isinstance(axis, Tied)}
    tied = {
        name: _suggest(trial, f"{name} ({axis.on} = {free[axis.on]})", axis.cases[free[axis.on]])
        for name, axis in space.items()
        if isinstance(axis, Tied)
    }
    values = free | tied
    return {name: values[name] for name in space}


def importances(columns: Mapping[str, Sequence[Scalar]], scores: Sequence[float]) -> dict[str, float]:
    """Optuna's default importances of hyperparameters, which sum to 1. Values and scores have one entry per trial.

    The method is PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023, arXiv 2304.10255): it measures how far the
    distribution of each hyperparameter among the best tenth of the trials is from its distribution among all trials.
    Larger scores are better. Positive numbers are on a log scale.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {name: _distribution(values) for name, values in columns.items()}
    study = optuna.study.create_study(
        direction="maximize", storage=optuna.storages.InMemoryStorage(), study_name="importances"
    )
    study.add_trials(
        optuna.trial.create_trial(
            params={name: values[row] for name, values in columns.items()},
            distributions=distributions,
            value=score,
        )
        for row, score in enumerate(scores)
    )
    return optuna.importance.get_param_importances(study)


def _distribution(values: Sequence[Scalar]) -> optuna.distributions.BaseDistribution:
    if any(isinstance(value, (str, bool)) for value in values):
        return optuna.distributions.CategoricalDistribution(sorted(set(values), key=str))
    low, high = float(min(values)), float(max(values))
    return optuna.distributions.FloatDistribution(low, high, log=low > 0)


def _suggest(trial: optuna.Trial, name: str, axis: Axis) -> Scalar:
    if not isinstance(axis, Range) or axis.points is not None:
        values = axis.values()
        return values[0] if len(values) == 1 else _choose(trial, name, values)
    low, high = axis.ends
    if axis.whole:
        return trial.suggest_int(name, round(low), round(high), log=axis.log is not None)
    return axis.rounded(trial.suggest_float(name, low, high, log=axis.log is not None))


def _choose(trial: optuna.Trial, name: str, values: tuple[Scalar, ...]) -> Scalar:
    chosen = trial.suggest_categorical(name, values)
    assert chosen is not None
    return chosen


def _decided(study: optuna.Study) -> list[Point]:
    trials = study.get_trials(deepcopy=False, states=(*_STARTED, TrialState.WAITING))
    return [trial.user_attrs[_POINT] for trial in trials if _POINT in trial.user_attrs]


def _storage(journal: Path) -> JournalStorage:
    try:
        return JournalStorage(JournalFileBackend(str(journal)))
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"{journal} is damaged ({error}); remove it, and the search is repeated from the records"
        ) from error
