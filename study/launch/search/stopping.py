"""Early stopping of a study's searches: which rule each trial runs under, and whose stops count for the study.

A trial that early stopping ended is a result of that search alone: it lost against the search's own configurations.
Every other study takes it as missing and runs it, as its next attempt. The rule is part of a search's name, so an
edit of it begins another search, and no part of any trial's id.
"""

import hashlib

from study.plan import Plan
from study.searches import search_name
from study.spec.arms import Arm
from study.spec.expand import TrialSet
from study.spec.load import StudySpec
from trainables.early_stopping import EarlyStopping


def own_searches(spec: StudySpec, trial_set: TrialSet) -> frozenset[str]:
    """The searches of a study as records name them; none where it stops nothing."""
    if spec.search.early_stopping is None:
        return frozenset()
    return frozenset(_told_name(spec, arm, trial_set) for arm in trial_set.arms)


def stopping_rules(plan: Plan, store: str) -> dict[str, EarlyStopping]:
    """The rule of each trial by its id, with scores in the store at `store`; none where the study stops nothing."""
    section = plan.spec.search.early_stopping
    if section is None:
        return {}
    names = {arm.label: _told_name(plan.spec, arm, plan.trial_set) for arm in plan.trial_set.arms}
    return {
        trial.keys.trial_id: EarlyStopping(
            eta=section.eta,
            min_resource=section.min_resource,
            search=names[trial.arm],
            configuration=trial.keys.config_id,
            store=store,
            folder=_scores_folder(plan.spec.name, names[trial.arm]),
        )
        for trial in plan.trials
    }


def _told_name(spec: StudySpec, arm: Arm, trial_set: TrialSet) -> str:
    return f"{spec.name}: {search_name(spec, arm, trial_set)}"


def _scores_folder(study: str, name: str) -> str:
    """Labels may hold what file names may not."""
    return f"studies/{study}/rungs/{hashlib.sha256(name.encode()).hexdigest()[:16]}"
