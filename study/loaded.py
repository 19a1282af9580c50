"""A study loaded together with its store, which is read once. The commands about one study start from it."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from study.console import say_error
from study.errors import StudyError, named
from study.plan import Plan, decided_so_far, read_plan, records_of
from study.spec.expand import PlannedTrial, expand
from study.spec.load import StudyFile, check_source
from study.spec.source import Source, read_keys, read_source
from trainables.bundle_folder import bundle_around, irregular_file, leads_out
from trainables.provenance import import_paths, paths_fingerprint
from trainables.runtime import AUTO, Runtime, chosen_execution
from trainables.store.artefacts import kept_path
from trainables.store.records import RecordSet, RecordStore, open_store
from trainables.suggestion import short_name
from trainables.work import LaunchContext


@dataclass(frozen=True, kw_only=True)
class LoadedStudy:
    """A study file, its store, and the plan that follows from comparing both."""

    source: str  # the name or path by which the study was loaded
    study_file: StudyFile
    store: RecordStore
    data_root: Path | None
    plan: Plan
    records: RecordSet  # the latest records when it was loaded: of the whole store, or of the study's trials

    @property
    def name(self) -> str:
        """The study's name."""
        return self.study_file.spec.name

    @property
    def context(self) -> LaunchContext:
        """The settings that all trials of the study share when they run on this machine."""
        resources, keep = self.study_file.spec.resources, self.study_file.spec.keep
        device = "cuda" if resources.gpus_per_trial else "cpu"
        has_modes = self.plan.trial_set.task.has_execution_modes
        runtime = Runtime(
            device=device,
            threads=resources.cpus_per_trial,
            data_root=self.data_root,
            execution=chosen_execution(resources.execution, device) if has_modes else "eager",
            execution_may_change=resources.execution == AUTO,
            keep_encoders=keep.encoders != "none",
            curve_epochs=keep.curve_epochs,
            curve_points=keep.curve_points,
            keep_embeddings=keep.embeddings,
            time_limit=resources.time_limit,
            checkpoint_seconds=resources.checkpoint_seconds,
            artefacts=self.store.path,
        )
        # Trials are not stacked on accelerators, because grouped convolutions are slow there.
        stacked = resources.stacked and runtime.device == "cpu"
        tracking = self.study_file.spec.tracking
        traced = bool(tracking.mlflow or tracking.wandb or tracking.tensorboard)
        at_once = resources.trials_a_gpu if self.plan.trial_set.task.runs_concurrently else 1
        return LaunchContext(
            store=self.store, runtime=runtime, stacked=stacked, at_once=at_once, traced=traced
        )

    def is_kept(self, trial: PlannedTrial) -> bool:
        """Whether the store keeps the trial's encoder, so that it does not have to be trained again."""
        return kept_path(self.store.path, trial.keys.pretrain_id).exists()


def load_study(study: str, store: str, data_root: str | None, *, whole: bool = True) -> LoadedStudy:
    """Read a study and compare it with the store. Prints which record files are damaged. Writes nothing.

    With `whole`, it reads the records of all trials in the store: the cost model and the line on trials that an edit
    removed use them. Commands that only look at the study read its own records.
    """
    root = check_data_root(Path(data_root).expanduser() if data_root else None)
    return load_source(read_source(study), study, store, root, whole=whole)


def load_source(
    source: Source, study: str, store: str, root: Path | None, *, whole: bool = True
) -> LoadedStudy:
    """`load_study` for the keys of a study that are read already; `study` is where they were read from."""
    study_file = check_source(source)
    record_store = open_store(store)
    _check_place(store)
    spec = study_file.spec
    with named(study_file.origin):
        trial_set = expand(spec, root)
    trial_set = decided_so_far(spec, trial_set, record_store)
    own = {trial.keys.trial_id for trial in trial_set.trials}
    records = record_store.read(None if whole else own)
    plan = Plan(spec=spec, trial_set=trial_set, records=records_of(spec, trial_set, record_store, records))
    say_damaged(plan.records)
    return LoadedStudy(
        source=study, study_file=study_file, store=record_store, data_root=root, plan=plan, records=records
    )


def say_damaged(records: RecordSet) -> None:
    """Print which record files, and which rows of compacted files, do not count."""
    for damage in records.damaged:
        so = "its trial counts as missing unless another attempt is valid"
        say_error(f"damaged record: {damage}; {so if damage.is_whole_file else 'this row does not count'}")


def read_again(loaded: LoadedStudy) -> LoadedStudy:
    """The same study with the current records of its store. Its file is not read again."""
    return replace(loaded, plan=read_plan(loaded.plan.spec, loaded.plan.trial_set, loaded.store))


def changed_since(loaded: LoadedStudy) -> str:
    """What changed of the study's files since it was loaded, in words; "" if nothing did.

    Workers check the data and the own code before they train, and do not run a trial whose id would change.
    """
    try:
        text = read_keys(loaded.source).text
    except StudyError:
        return "the study file can no longer be read"
    if text != loaded.study_file.text:
        return "the study file changed"
    codes = {import_paths(trial.config): trial.code for trial in loaded.plan.trials}
    return "own code of the study changed" if any(map(_is_changed, codes, codes.values())) else ""


def _is_changed(paths: tuple[str, ...], code: str) -> bool:
    try:
        return paths_fingerprint(paths) != code
    except ValueError:  # it can no longer be read
        return True


def _check_place(store: str) -> None:
    """Raise `StudyError` for a store in a bundle from which links lead out: records would be written there."""
    path = Path(store).expanduser()
    bundle = bundle_around(path) if "://" not in store else None
    if bundle is None:
        return
    if leads_out(path):
        raise StudyError(f"store: got {store}, which is in the bundle {bundle} and links out of it")
    if (irregular := irregular_file(bundle)) is not None:
        raise StudyError(
            f"store: {bundle}: {irregular} is a link or a special file; a bundle contains only files and folders"
        )


def check_data_root(data_root: Path | None) -> Path | None:
    """The data root as an absolute path. Raises `StudyError` unless it is a directory."""
    if data_root is None:
        return None
    if not os.path.isdir(data_root):  # also for a name that is too long
        raise StudyError(f"--data-root: got '{short_name(data_root)}', must be a directory")
    return data_root.resolve()
