"""Counts the operators of a training step by part, on the pretended device.

On a card, each operator launches one kernel or several.
"""

import dataclasses
from collections import Counter

import torch

from study.bench.stages import STAGES, marked_step
from study.bench.subject import build_subject
from tests.benchmarks.trainings import RESNET18, random_data, trials
from tests.trainables.device.device_state import Device
from trainables.config import LossConfig
from trainables.runtime import Runtime

#: Eager execution modes by what a count of them shows.
MODES = {"batched views": "eager", "fused views": "fused"}

#: The count depends neither on the batch size nor on the images.
_BATCH, _SIZE = 4, 16


def operators_of_a_step(device: Device, loss: str, execution: str) -> dict[str, Counter[str]]:
    """Operators by name for each of `STAGES`, of one bfloat16 step of ResNet-18 on colour images."""
    data = random_data(_SIZE, _BATCH)
    (config,) = trials(RESNET18, data, _BATCH, precision="bfloat16")
    config = dataclasses.replace(config, loss=LossConfig(name=loss))
    subject = build_subject([config], data, Runtime(device="cuda", execution=execution))
    images, factor = subject.images[None], torch.tensor(0.01, device=subject.device)
    found: dict[str, Counter[str]] = {}
    with device.counted() as count:

        def mark(stage: str) -> None:
            found[stage] = count.by_name.copy()
            count.by_name.clear()

        step = marked_step(subject, execution, mark)
        step(images, factor)  # fills caches
        count.by_name.clear()
        step(images, factor)
        mark(STAGES[-1])
    return {stage: found[stage] for stage in STAGES}
