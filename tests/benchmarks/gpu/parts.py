"""What the parts of the GPU benchmark are given and give back."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from tests.benchmarks.trainings import random_data
from trainables.config import DataConfig
from trainables.datasets.datasets import load_dataset
from trainables.datasets.loaded import ImageData
from trainables.runtime import Runtime

NO_GPU = "not measured: no GPU"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a part is to run."""

    device: str
    quick: bool = False
    data_root: Path | None = None

    @property
    def on_gpu(self) -> bool:
        return self.device == "cuda"

    @property
    def torch_device(self) -> torch.device:
        return torch.device(self.device)

    def runtime(self, execution: str = "eager") -> Runtime:
        return Runtime(device=self.device, execution=execution)

    def cifar10(self) -> ImageData:
        """50,000 training images: CIFAR-10's, or as many random ones; 512 where it must be quick."""
        count = 512 if self.quick else 50_000
        if self.data_root is None:
            return random_data(32, count)
        config = DataConfig(name="parquet:cifar10_jpeg", test_limit=100)
        data = load_dataset(config, self.data_root)
        pretraining = data.pretraining[:count]
        return dataclasses.replace(data, pretraining=pretraining)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the result; `target` is what is to be reached, in the same unit."""

    what: str
    value: float | str
    unit: str = ""
    target: str = ""


Rows = Iterator[Row]


def or_error(what: str, rows: Rows) -> Rows:
    """The rows, and what ended them early as one more, so that those of other cases still follow."""
    try:
        yield from rows
    except Exception as error:
        yield Row(what=what, value=f"failed: {type(error).__name__}: {str(error)[:300]!r}")
