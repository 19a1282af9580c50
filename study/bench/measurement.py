"""Measures one row of a bench: the speed of a stack of trials, the time of its stages, and its memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from study.bench.arithmetic import network_flops
from study.bench.stages import stage_shares
from study.bench.subject import build_subject
from study.bench.timing import seconds_a_call
from study.cost.memory import PeakMemory
from trainables.config import TrialConfig
from trainables.datasets.loaded import ImageData
from trainables.runtime import Runtime
from trainables.training.precision import matmul_precision

#: Defaults without a given number of steps: the seconds to fill with stage-marked steps, and the most such steps.
_STAGE_SECONDS, _MOST_STAGE_STEPS = 1.0, 100


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """The measurements of a stack of `trials` trials at one batch size."""

    batch_size: int
    trials: int
    images_per_second: float  # of all trials together, each image in two views
    shares: dict[str, float]  # share of the step's time, by stage
    share_of_peak: float  # of the measured matrix-product peak
    peak_memory_bytes: int | None  # None where it could not be measured


def measure(
    configs: Sequence[TrialConfig],
    data: ImageData,
    runtime: Runtime,
    *,
    peak: float,
    steps: int | None = None,
) -> Measurement:
    """Time `steps` steps of the trials `configs` as one network; by default as many steps as fill three seconds.

    `peak` is the device's matrix-product rate in operations per second. Exceptions of the training are raised.
    """
    task, device = configs[0].task, torch.device(runtime.device)
    pairs = task.training.batch_size * len(configs)
    # This comes first, because the code of libraries that the first pass loads is not memory of the training.
    flops = 2 * pairs * network_flops(task.encoder, channels=data.info.channels, size=data.info.size)
    with matmul_precision(task.training.precision, device):
        with PeakMemory(device) as memory:
            trainer = build_subject(configs, data, runtime).trainer(runtime.execution)
            seconds = seconds_a_call(trainer.advance, device, steps)
        del trainer
        stage_steps = steps or max(2, min(_MOST_STAGE_STEPS, int(_STAGE_SECONDS / seconds)))
        shares = stage_shares(build_subject(configs, data, runtime), runtime.execution, stage_steps)
    return Measurement(
        batch_size=task.training.batch_size,
        trials=len(configs),
        images_per_second=pairs / seconds,
        shares=shares,
        share_of_peak=flops / seconds / peak,
        peak_memory_bytes=memory.bytes,
    )
