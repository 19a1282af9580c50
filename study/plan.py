"""The plan of a study: its trials, the records that the store has of them, and the trials that are missing."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.spec.expand import PlannedTrial, TrialSet
from study.spec.load import StudySpec
from trainables.store.attempts import counting_records
from trainables.store.records import RecordSet, RecordStore
from trainables.store.schema import Status


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A study's trials and their records in the store.

    For a study with a search, `trials` holds only the trials decided so far. The counts include all trials that the
    search budget allows.
    """

    spec: StudySpec
    trial_set: TrialSet
    records: RecordSet  # the records that count for this study

    @property
    def trials(self) -> tuple[PlannedTrial, ...]:
        return self.trial_set.trials

    @property
    def missing(self) -> list[PlannedTrial]:
        """Trials without a valid record. A recorded failure is not missing: only a retry runs it again."""
        recorded = self.records.statuses()
        return [trial for trial in self.trials if trial.keys.trial_id not in recorded]

    @property
    def undecided(self) -> int:
        """The number of trials whose configurations the searches have not chosen yet; 0 in other designs."""
        return sum(arm.undecided for arm in self.trial_set.arms) * len(self.spec.seeds)

    def counts(self) -> dict[str, int]:
        """The number of trials, of trials in each status, and of missing trials. The others sum to the first."""
        recorded = self.records.statuses()
        found = Counter(recorded.get(trial.keys.trial_id) for trial in self.trials)
        by_status = {status.value: found[status] for status in Status}
        left = self.undecided
        return {"trials": len(self.trials) + left, **by_status, "missing": found[None] + left}

    def counts_by_arm(self) -> dict[str, dict[str, int]]:
        """`trials`, `done` and `missing` of each arm, in the order of the study file."""
        recorded = self.records.statuses()
        left = {arm.label: arm.undecided * len(self.spec.seeds) for arm in self.trial_set.arms}
        counts = {label: {"trials": count, "done": 0, "missing": count} for label, count in left.items()}
        for trial in self.trials:
            counts[trial.arm]["trials"] += 1
            counts[trial.arm]["done" if trial.keys.trial_id in recorded else "missing"] += 1
        return counts


def read_plan(spec: StudySpec, trial_set: TrialSet, store: RecordStore) -> Plan:
    """The plan of a study from the current store: the configurations its searches have decided, and its records."""
    trial_set = decided_so_far(spec, trial_set, store)
    return Plan(spec=spec, trial_set=trial_set, records=records_of(spec, trial_set, store))


def decided_so_far(spec: StudySpec, trial_set: TrialSet, store: RecordStore) -> TrialSet:
    """The trials of a study, including those that its searches have decided so far."""
    if not trial_set.design.adaptive:
        return trial_set
    from study.searches import with_decided  # importing Optuna takes most of a second

    return with_decided(spec, trial_set, store.path)


def records_of(
    spec: StudySpec, trial_set: TrialSet, store: RecordStore, read: RecordSet | None = None
) -> RecordSet:
    """The records that count for a study. Trials that the early stopping of another search ended do not count.

    `read` holds the latest record of every trial in the store. A caller that has read them already passes them here.
    """
    only = {trial.keys.trial_id for trial in trial_set.trials}
    found = store.read(only) if read is None else read.of(only)
    return counting_records(store, found, only, searches_of(spec, trial_set))


def searches_of(spec: StudySpec, trial_set: TrialSet) -> frozenset[str]:
    """The names, as records give them, of the study's searches whose early stopping may have ended trials."""
    if spec.search.early_stopping is None:
        return frozenset()
    from study.searches import own_searches

    return own_searches(spec, trial_set)


def status_summary(plan: Plan) -> dict[str, Any]:
    """The summary that `--json` prints."""
    searched = {"undecided": plan.undecided} if plan.trial_set.design.adaptive else {}
    return {"study": plan.spec.name, **plan.counts(), **searched}


def study_directory(store: RecordStore, name: str) -> Path:
    """The folder of a study's file, report, figures and tables."""
    return store.path / "studies" / name
