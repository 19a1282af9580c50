"""The trackers that a study file may name, with the library that each needs and the function that opens it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from study.errors import StudyError
from study.spec.schema import TrackingSection
from study.tracking.tracked_run import TrackedRun


class Tracker(Protocol):
    """Receives runs, one after another, from one thread. Any exception means that the tracker has failed."""

    def write(self, run: TrackedRun) -> None: ...


@dataclass(frozen=True, kw_only=True)
class TrackerKind:
    """A kind of tracker. `open(where, study, store)` imports its library and connects."""

    name: str  # the name in messages
    module: str
    extra: str  # the extra of this package that installs the module
    open: Callable[[str, str, Path], Tracker]


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A tracker that a study file names, before it is opened."""

    kind: TrackerKind
    where: str  # the value in the study file; may contain a password
    key: str  # the tracker's name in the journal

    def open(self, study: str, store: Path) -> Tracker:
        """Connect to the tracker. Raises any error of the library."""
        return self.kind.open(self.where, study, store)


def _open_mlflow(where: str, study: str, store: Path) -> Tracker:
    from study.tracking.mlflow_runs import MlflowRuns

    return MlflowRuns(where, study, store)


def _open_wandb(where: str, study: str, store: Path) -> Tracker:
    from study.tracking.wandb_runs import WandbRuns

    return WandbRuns(where, study, store)


def _open_tensorboard(where: str, study: str, store: Path) -> Tracker:
    from study.tracking.tensorboard_runs import TensorboardRuns

    return TensorboardRuns(study, store)


#: Every tracker by its key in `[tracking]`.
TRACKERS: dict[str, TrackerKind] = {
    "mlflow": TrackerKind(name="MLflow", module="mlflow", extra="tracking-mlflow", open=_open_mlflow),
    "wandb": TrackerKind(name="Weights & Biases", module="wandb", extra="tracking-wandb", open=_open_wandb),
    "tensorboard": TrackerKind(
        name="TensorBoard", module="tensorboard", extra="tracking-tensorboard", open=_open_tensorboard
    ),
}


def destinations(section: TrackingSection) -> list[Destination]:
    """The trackers that a study file names. Raises `StudyError` if a tracker's library is not installed."""
    found = []
    for key, kind in TRACKERS.items():
        if where := getattr(section, key):
            if find_spec(kind.module) is None:
                raise StudyError(
                    f"tracking.{key}: {kind.name} is not installed; `uv sync --extra {kind.extra}` installs it"
                )
            digest = hashlib.sha256(str(where).encode()).hexdigest()[:12]
            found.append(Destination(kind=kind, where=str(where), key=f"{key}:{digest}"))
    return found
