"""Adaptive search with Optuna: one Optuna study for each loss suggests configurations and receives their scores.

`study.searches` and the launch use this module. Optuna's studies are in one journal file, an append-only log that
`optuna-dashboard FILE` can open. Its locks use atomic links and renames, which network file systems support. SQLite's
locks use `fcntl`, which many network file systems break. Only the suggested configurations in the journal matter:
scores come from records. A lost journal can be made again by asking again, because the same history and seed give
the same suggestions.
"""

import errno
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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
from trainables.reading import check_regular, parse_json, plain_reason, read_bytes
from trainables.suggestion import shortened

#: The most bytes of a journal. A configuration takes about 2 kB.
JOURNAL_BYTES = 256_000_000


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """A configuration that was stopped early, with its rung and its score there if they are known."""

    rung: int | None = None
    score: float | None = None


#: The outcome of a configuration: its score (larger is better), `Pruned` if it was stopped, or None if it still runs.
Outcome = float | Pruned | None

_STARTED = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED)
_REMEDY = "the store keeps all records: move the journal away to start the search again"
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
    """The search of one loss in a journal, open for writing.

    Raises `OSError`, and `ValueError` for a journal that is damaged or no regular file, before anything is written.
    """

    def __init__(self, journal: Path, name: str, *, space: Space, sampler: SamplerConfig) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # otherwise it logs every trial
        check_journal(journal)
        journal.parent.mkdir(parents=True, exist_ok=True)
        self._space, self._sampler = space, sampler
        self._asked: set[int] = set()
        self._storage = _storage(journal)
        self._study = _checked_study(journal, self._storage, name, space) or optuna.create_study(
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


def read_decided(journal: Path, name: str, space: Space) -> list[Point]:
    """The configurations that a search in `space` asked for; empty if there is no such search. Writes nothing.

    Raises `OSError`, and `ValueError` for a journal that is damaged or no regular file.
    """
    if not check_journal(journal):
        return []
    study = _checked_study(journal, _storage(journal), name, space)
    return _decided(study) if study else []


def check_journal(journal: Path) -> bool:
    """Whether there is a journal at this path. Raises `ValueError` for a link, and for what is no regular file.

    Optuna follows links. With a link in the place of the journal, it would write to a file of another purpose.
    """
    if journal.is_symlink():
        raise ValueError(f"{journal} is a link, must be a regular file; {_REMEDY}")
    try:
        check_regular(journal, JOURNAL_BYTES)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EISDIR):
            raise
        raise ValueError(f"{journal} {error.strerror}; {_REMEDY}") from error
    return True


def repair_journal(journal: Path) -> None:
    """Remove the incomplete last line of a process that was killed while writing. No other process may be writing.

    Raises `OSError`, and `ValueError` as `check_journal` does.
    """
    if not check_journal(journal):
        return
    content = read_bytes(journal, JOURNAL_BYTES)
    whole = content.rfind(b"\n") + 1
    with _damage_named(
        journal
    ):  # Optuna ignores such a last line, until it has written another line after it
        if whole:
            parse_json(content[content.rfind(b"\n", 0, whole - 1) + 1 : whole])
    if whole < len(content):
        with journal.open("r+b") as file:
            file.truncate(whole)


def check_point(point: object, space: Space) -> None:
    """Raise `ValueError` for anything but a configuration of the space: its names in order, each with a value of its
    axis."""
    if not isinstance(point, dict) or list(point) != list(space):
        raise ValueError(f"a configuration is {shortened(point)}, must have the fields {', '.join(space)}")
    free = {name: axis for name, axis in space.items() if not isinstance(axis, Tied)}
    tied = {
        name: axis.cases[point[axis.on]]
        for name, axis in space.items()
        if isinstance(axis, Tied)
        if _is_in(free[axis.on], point[axis.on])
    }
    for name, axis in (free | tied).items():
        if not _is_in(axis, point[name]):
            raise ValueError(
                f"a configuration has {name} = {shortened(point[name])}, which is not in the search"
            )


def suggest_point(trial: optuna.Trial, space: Space) -> Point:
    """Ask the trial for every hyperparameter that varies. Each case of a tied one has its own name in Optuna."""
    free = {name: _suggest(trial, name, axis) for name, axis in space.items() if not isinstance(axis, Tied)}
    tied = {
        name: _suggest(trial, _case_name(name, axis, free[axis.on]), axis.cases[free[axis.on]])
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


def _case_name(name: str, axis: Tied, value: Scalar) -> str:
    return f"{name} ({axis.on} = {value})"


def _storage(journal: Path) -> JournalStorage:
    with _damage_named(journal):
        return JournalStorage(JournalFileBackend(str(journal)))


def _checked_study(journal: Path, storage: JournalStorage, name: str, space: Space) -> optuna.Study | None:
    """Optuna's study of a search, with every trial that counts checked against the space; None if there is none."""
    try:
        study = optuna.load_study(storage=storage, study_name=name)
    except KeyError:
        return None
    with _damage_named(journal):
        if study.directions != [optuna.study.StudyDirection.MAXIMIZE]:
            raise ValueError("a search must have one score, which it maximizes")
        distributions = _distributions(space)
        for trial in study.get_trials(deepcopy=False, states=(*_STARTED, TrialState.WAITING)):
            _check_trial(trial, space, distributions)
    return study


@contextmanager
def _damage_named(journal: Path) -> Iterator[None]:
    """Raise `ValueError` with one line for whatever Optuna raises for a text that it has not written.

    Optuna does not check the lines that it replays, so a line of another form can raise any exception.
    """
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        reason = (
            plain_reason(error) if isinstance(error, ValueError) else "a line is not one that Optuna writes"
        )
        raise ValueError(f"{journal} is damaged ({reason}); {_REMEDY}") from error


def _check_trial(
    trial: FrozenTrial, space: Space, distributions: Mapping[str, optuna.distributions.BaseDistribution]
) -> None:
    """Raise an exception for a trial that this module has not written. Samplers do not check what they learn from."""
    ended = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    if ended or _POINT in trial.user_attrs:
        check_point(trial.user_attrs.get(_POINT), space)
    numbers = [*(trial.values or ()), *trial.intermediate_values, *trial.intermediate_values.values()]
    if any(type(number) not in (int, float) or _is_huge(number) for number in numbers):
        raise ValueError("a score is not a number")
    if len(trial.values or ()) != 1 and (trial.values or trial.state is TrialState.COMPLETE):
        raise ValueError("a configuration must have one score")
    if "constraints" in trial.system_attrs:
        raise ValueError("a configuration has constraints")
    for name, value in {**trial.params, **trial.system_attrs.get("fixed_params", {})}.items():
        expected = distributions.get(name)
        if expected is None or trial.distributions.get(name, expected) != expected:
            raise ValueError(f"a configuration has {shortened(name)}, which is not in the search")
        if not expected._contains(expected.to_internal_repr(value)):
            raise ValueError(f"a configuration has {name} = {shortened(value)}, which is not in the search")


def _is_huge(number: float) -> bool:
    """Whether a whole number exceeds all floats. A float may be infinite: samplers allow that."""
    return isinstance(number, int) and abs(number) > sys.float_info.max


def _distributions(space: Space) -> dict[str, optuna.distributions.BaseDistribution]:
    """What `suggest_point` asks Optuna for, by Optuna's name."""
    axes = {name: axis for name, axis in space.items() if not isinstance(axis, Tied)} | {
        _case_name(name, axis, value): case
        for name, axis in space.items()
        if isinstance(axis, Tied)
        for value, case in axis.cases.items()
    }
    return {name: _distribution_of(axis) for name, axis in axes.items()}


def _distribution_of(axis: Axis) -> optuna.distributions.BaseDistribution:
    if not isinstance(axis, Range) or axis.points is not None:
        return optuna.distributions.CategoricalDistribution(axis.values())
    low, high = axis.ends
    if axis.whole:
        return optuna.distributions.IntDistribution(round(low), round(high), log=axis.log is not None)
    return optuna.distributions.FloatDistribution(low, high, log=axis.log is not None)


def _is_in(axis: Axis, value: object) -> bool:
    """Whether an axis has this value, with its type: 1 is not 1.0, and True is not 1."""
    if not isinstance(axis, Range) or axis.points is not None:
        return any(type(value) is type(each) and value == each for each in axis.values())
    if type(value) is not (int if axis.whole else float):
        return False
    low, high = (float(axis.rounded(end)) for end in axis.ends)
    assert isinstance(value, (int, float))
    return low <= value <= high and axis.rounded(value) == value
