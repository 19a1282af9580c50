"""The trackers that a study file may name: which library each needs, and how it is opened."""

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
    """Takes runs, one after another, from one thread; any exception means that it cannot."""

    def write(self, run: TrackedRun) -> None: ...


@dataclass(frozen=True, kw_only=True)
class TrackerKind:
    """A tracker by its key in `[tracking]`: `open(where, study, store)` imports its library and connects."""

    name: str  # for people
    module: str
    extra: str  # of this package, that brings the module
    open: Callable[[str, str, Path], Tracker]


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A tracker that a study asks for, not opened yet."""

    kind: TrackerKind
    where: str  # as the study file says it; may hold a password
    key: str  # names it in the journal

    def open(self, study: str, store: Path) -> Tracker:
        """Connect. Raises whatever the library raises."""
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


#: Every tracker by its key.
TRACKERS: dict[str, TrackerKind] = {
    "mlflow": TrackerKind(name="MLflow", module="mlflow", extra="tracking-mlflow", open=_open_mlflow),
    "wandb": TrackerKind(name="Weights & Biases", module="wandb", extra="tracking-wandb", open=_open_wandb),
    "tensorboard": TrackerKind(
        name="TensorBoard", module="tensorboard", extra="tracking-tensorboard", open=_open_tensorboard
    ),
}


def destinations(section: TrackingSection) -> list[Destination]:
    """What a study asks for. Raises `StudyError` where a library is not installed."""
    found = []
    for key, kind in TRACKERS.items():
        if where := getattr(section, key):
            if find_spec(kind.module) is None:
                raise StudyError(
                    f"tracking.{key}: {kind.name} is not installed; `uv sync --extra {kind.extra}` brings it"
                )
            digest = hashlib.sha256(str(where).encode()).hexdigest()[:12]
            found.append(Destination(kind=kind, where=str(where), key=f"{key}:{digest}"))
    return found
