"""What the parts of the GPU benchmark are given, and the trainings that they measure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tests.benchmarks.trainings import RESNET18, SMALL_CONV
from trainables.config import (
    DataConfig,
    ImagesTask,
    LossConfig,
    ProbeConfig,
    TrainingConfig,
    TrialConfig,
    trial_keys,
)
from trainables.provenance import provenance_of
from trainables.runtime import AUTO, Runtime, chosen_execution
from trainables.store.records import RecordStore
from trainables.work import LaunchContext, WorkUnit


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a part is to run. `quick` is for a test: digits and a small network instead of CIFAR-10 and ResNet-18."""

    device: str
    quick: bool
    data_root: Path | None
    out: Path
    seconds: float  # a part that can stop at any time stops by itself after so long
    epochs: int  # of each trial of the protocol
    execution: str  # of the trials of the protocol

    @property
    def on_gpu(self) -> bool:
        return self.device == "cuda"

    @property
    def torch_device(self) -> torch.device:
        return torch.device(self.device)

    @property
    def data_name(self) -> str:
        return "digits" if self.quick else "parquet:cifar10_jpeg"

    def runtime(self, execution: str = "eager", **options: Any) -> Runtime:
        return Runtime(device=self.device, data_root=self.data_root, execution=execution, **options)

    def trial(
        self,
        batch_size: int,
        *,
        seed: int = 0,
        loss: str = "ntxent",
        train_images: int | None = None,
        suite: tuple[str, ...] = ("knn",),
        **training: Any,
    ) -> TrialConfig:
        """A SimCLR trial. `train_images` limits the images; by default all of them are used."""
        fields = {"batch_size": batch_size, "lr": 0.1, "warmup_fraction": 0.0, "precision": "bfloat16"}
        task = ImagesTask(
            data=DataConfig(name=self.data_name, train_limit=train_images, test_limit=train_images),
            views="digits" if self.quick else "cifar",
            encoder=SMALL_CONV if self.quick else RESNET18,
            training=TrainingConfig(**(fields | training)),
            probe=ProbeConfig(suite=suite),
        )
        params = {"t": 2.0} if loss == "kcl" else {"temperature": 0.2}
        return TrialConfig(seed=seed, loss=LossConfig(name=loss, params=params), task=task)

    def unit(self, config: TrialConfig) -> WorkUnit:
        trial_id = trial_keys(config, provenance_of(config, self.data_root)).trial_id
        return WorkUnit(trial_id=trial_id, attempt=0, config=config, title=config.loss.name)

    def context(self, store: Path, execution: str, at_once: int) -> LaunchContext:
        """The settings of a group of trials that run at the same time."""
        runtime = self.runtime(
            chosen_execution(execution, self.device), execution_may_change=execution == AUTO
        )
        return LaunchContext(store=RecordStore(store), runtime=runtime, at_once=at_once, stacked=False)
