"""The searches of a study, one for each loss: their journal, their names, and their early stopping.

The plan and the launch use this module. The name of a search depends on everything that its suggestions and scores
depend on. So an edit of a range, of the sampler or of the training, or another numerics version, starts another
search. Records of the earlier search stay. More trials and other seeds continue the same search, and its earlier
scores do not change.

A trial that early stopping ended is a result of that search only, because it lost against the configurations of that
search. Every other study counts it as missing and runs it as its next attempt. The stopping rule is part of the
search's name, so an edit of the rule starts another search. It is not part of any trial's id.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

from search_spaces.optuna_adapter import SamplerConfig, Search, read_decided, repair_journal
from search_spaces.space import Space, Tied
from study.errors import StudyError
from study.spec.arms import Arm
from study.spec.expand import TrialSet, end_trials, with_points
from study.spec.load import StudySpec
from trainables.config import canonical_json
from trainables.early_stopping import EarlyStopping


def journal_path(store: Path, name: str) -> Path:
    """The path of the journal of a study's searches. `optuna-dashboard` can open the file."""
    return store / "studies" / name / "optuna.journal"


def _own_journal(store: Path, name: str) -> Path:
    """The path of the journal. Raises `StudyError` if a link leads from its folder out of the store."""
    journal = journal_path(store, name)
    if not Path(os.path.realpath(journal.parent)).is_relative_to(os.path.realpath(store)):
        raise StudyError(
            f"store: {journal.parent} leads out of the store, must be a folder within it; remove the link"
        )
    return journal


def with_decided(spec: StudySpec, trial_set: TrialSet, store: Path) -> TrialSet:
    """The trial set with the configurations that the journal in `store` contains. Writes nothing.

    Raises `StudyError` for a journal that cannot be read.
    """
    journal = _own_journal(store, spec.name)
    try:
        decided = {
            arm.label: read_decided(journal, search_name(spec, arm, trial_set), arm.space)
            for arm in trial_set.arms
        }
    except (OSError, ValueError) as error:
        raise StudyError(f"store: {error}") from error
    return with_points(spec, trial_set, decided)


def open_searches(spec: StudySpec, trial_set: TrialSet, store: Path, *, alone: bool) -> dict[str, Search]:
    """The search of each arm, open for writing. `alone` means that no other launch of the study runs.

    If `alone`, the function also repairs what a dead launch left: half a line at the end of the journal, and
    configurations marked as running. Raises `StudyError` for a journal that cannot be read or written.
    """
    journal = _own_journal(store, spec.name)
    try:
        if alone:
            repair_journal(journal)
        sampler = SamplerConfig(
            name=spec.search.sampler, seed=spec.search.sampler_seed, startup=spec.search.startup
        )
        searches = {
            arm.label: Search(journal, search_name(spec, arm, trial_set), space=arm.space, sampler=sampler)
            for arm in trial_set.arms
        }
    except (OSError, ValueError) as error:
        raise StudyError(f"store: {error}") from error
    if alone:
        for search in searches.values():
            search.interrupt(everyones=True)
    return searches


def search_name(spec: StudySpec, arm: Arm, trial_set: TrialSet) -> str:
    """The name of an arm's Optuna study: the arm's label, and a digest of everything that the search depends on."""
    identity: dict[str, Any] = {
        "loss": arm.loss,
        "space": _described(arm.space),
        "metric": spec.metric,
        # one trial represents all: it contains data, code, training and probes
        "trial": end_trials(spec, arm, trial_set)[0].keys.config_id,
        "sampler": [spec.search.sampler, spec.search.sampler_seed, spec.search.startup],
    }
    if stopping := spec.search.early_stopping:
        identity["early_stopping"] = [stopping.eta, stopping.min_resource]
    digest = hashlib.sha256(canonical_json(identity).encode()).hexdigest()
    return f"{arm.label} ({digest[:8]})"


def own_searches(spec: StudySpec, trial_set: TrialSet) -> frozenset[str]:
    """The names of a study's searches as records give them; empty for a study without early stopping."""
    if spec.search.early_stopping is None:
        return frozenset()
    return frozenset(_record_name(spec, arm, trial_set) for arm in trial_set.arms)


def stopping_rules(spec: StudySpec, trial_set: TrialSet, store: str) -> dict[str, EarlyStopping]:
    """The stopping rule of each trial by its id, with scores in the store at `store`.

    The result is empty for a study without early stopping.
    """
    section = spec.search.early_stopping
    if section is None:
        return {}
    names = {arm.label: _record_name(spec, arm, trial_set) for arm in trial_set.arms}
    return {
        trial.keys.trial_id: EarlyStopping(
            eta=section.eta,
            min_resource=section.min_resource,
            search=names[trial.arm],
            configuration=trial.keys.config_id,
            store=store,
            folder=_scores_folder(spec.name, names[trial.arm]),
        )
        for trial in trial_set.trials
    }


def _record_name(spec: StudySpec, arm: Arm, trial_set: TrialSet) -> str:
    return f"{spec.name}: {search_name(spec, arm, trial_set)}"


def _scores_folder(study: str, name: str) -> str:
    """The folder of a search's scores, named by a digest: labels may contain characters that paths may not."""
    return f"studies/{study}/rungs/{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _described(space: Space) -> dict[str, Any]:
    return {
        name: {"on": axis.on, "cases": {str(value): _plain(case) for value, case in axis.cases.items()}}
        if isinstance(axis, Tied)
        else _plain(axis)
        for name, axis in space.items()
    }


def _plain(axis: Any) -> dict[str, Any]:
    """An axis without its measure. The measure only weights robustness scores; it does not change suggestions."""
    plain: dict[str, Any] = axis.model_dump(mode="json", exclude_defaults=True, exclude={"measure"})
    return plain
