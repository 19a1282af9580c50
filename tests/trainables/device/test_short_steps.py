"""Steps with fused views, fused SGD and bfloat16 copies give the numbers of the CPU, eager and within a graph."""

import pytest

from tests.benchmarks.trainings import SMALL_CONV, random_data, trainer, trials
from tests.trainables.device.device_state import Device
from trainables.runtime import Runtime
from trainables.training.trainer import Trainer

_STEPS = 3


def training(device: str, execution: str, precision: str, members: int, optimizer: str) -> Trainer:
    """A small training on colour images whose members differ in seed and temperature."""
    data = random_data(16, 32)
    configs = trials(SMALL_CONV, data, 8, members, precision=precision, optimizer=optimizer)
    return trainer(configs, data, Runtime(device=device, execution=execution))


@pytest.mark.parametrize(
    ("execution", "precision", "members", "optimizer"),
    [
        ("compiled_graphed", "bfloat16", 1, "sgd"),
        ("fused", "float32", 1, "lars"),
        ("compiled_graphed", "bfloat16", 1, "adam"),
        pytest.param("compiled", "float32", 3, "sgd", marks=pytest.mark.slow),
        pytest.param("compiled_graphed", "bfloat16", 3, "lars", marks=pytest.mark.slow),
        pytest.param("compiled", "float32", 3, "adamw", marks=pytest.mark.slow),
    ],
)
def test_short_steps_do_not_wait_and_give_the_numbers_of_the_cpu(
    cuda: Device, execution: str, precision: str, members: int, optimizer: str
) -> None:
    kind = precision, members, optimizer
    there, here = training("cuda", execution, *kind), training("cpu", "eager", *kind)
    there.advance()
    with cuda.asynchronous():
        for _ in range(1, _STEPS):
            there.advance()
    for _ in range(_STEPS):
        here.advance()
    assert there.losses.tolist() == here.losses.tolist()
    resumed = training("cuda", execution, *kind)
    resumed.restore(there.state())
    there.advance()
    resumed.advance()
    assert there.losses.tolist() == resumed.losses.tolist()
