"""A study opened against a store: what every command starts from."""

from dataclasses import dataclass
from pathlib import Path

from study.console import say_error
from study.launch.capacity import check_data_root
from study.plan import Plan, make_plan
from study.spec.expand import PlannedTrial
from study.spec.load import LoadedSpec, load_spec
from trainables.runtime import Runtime
from trainables.store.artefacts import kept_path
from trainables.store.records import RecordStore, open_store
from trainables.work import Workshop


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A study with its store, read and compared."""

    loaded: LoadedSpec
    store: RecordStore
    data_root: Path | None
    plan: Plan

    @property
    def name(self) -> str:
        """The study's name."""
        return self.loaded.spec.name

    @property
    def workshop(self) -> Workshop:
        """What all its trials share when they run here."""
        resources, keep = self.loaded.spec.resources, self.loaded.spec.keep
        runtime = Runtime(
            device="cuda" if resources.gpus_per_trial else "cpu",
            threads=resources.cpus_per_trial,
            data_root=self.data_root,
            execution=resources.execution,
            keep_encoders=keep.encoders != "none",
            curve_epochs=keep.curve_epochs,
            curve_points=keep.curve_points,
            keep_embeddings=keep.embeddings,
            time_limit=resources.time_limit,
            checkpoint_seconds=resources.checkpoint_seconds,
            artefacts=self.store.path,
        )
        # Grouped convolutions are slow on accelerators: there, trials are not stacked.
        stacked = resources.stacked and runtime.device == "cpu"
        tracking = self.loaded.spec.tracking
        traced = bool(tracking.mlflow or tracking.wandb or tracking.tensorboard)
        return Workshop(store=self.store, runtime=runtime, stacked=stacked, traced=traced)

    def is_kept(self, trial: PlannedTrial) -> bool:
        """Whether the trial's encoder was kept, so that it need not be trained."""
        return kept_path(self.store.path, trial.keys.pretrain_id).exists()


def open_study(study: str, store: str, data_root: str | None) -> Opened:
    """Read a study and compare it with the store; says which record files are damaged. Writes nothing."""
    root = check_data_root(Path(data_root).expanduser() if data_root else None)
    loaded = load_spec(study)
    record_store = open_store(store)
    plan = make_plan(loaded, record_store, root)
    for path in plan.records.damaged:
        say_error(f"damaged record: {path.name}; its trial counts as missing unless another attempt is valid")
    return Opened(loaded=loaded, store=record_store, data_root=root, plan=plan)
