"""One row of a bench: how fast some trials train together, what their steps spend, how much memory they take."""

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

#: Where no number of steps is asked for: seconds that steps with marked stages fill, and the most of them.
_STAGE_SECONDS, _MOST_STAGE_STEPS = 1.0, 100


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What was measured of `trials` trials trained as one at a batch size."""

    batch_size: int
    trials: int
    images_per_second: float  # of all trials together, each image in two views
    shares: dict[str, float]  # of the step's time, by stage
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
    """Time `steps` steps of the trials `configs` as one network, or as many as fill three seconds.

    `peak` is the device's matrix-product rate in operations a second. Raises what the training raises.
    """
    task, device = configs[0].task, torch.device(runtime.device)
    pairs = task.training.batch_size * len(configs)
    # First, since a library's code that the first pass loads is no memory of the training.
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
