"""The operators of a step stay few: each is a launch on a card, and short steps consist of launches."""

import pytest

from tests.benchmarks.operators import operators_of_a_step
from tests.trainables.device.device_state import Device


@pytest.mark.parametrize("loss", ["ntxent", pytest.param("kcl", marks=pytest.mark.slow)])
def test_a_step_has_fewer_than_half_of_the_operators_that_it_once_had(cuda: Device, loss: str) -> None:
    found = operators_of_a_step(cuda, loss, "fused")
    counts = {stage: names.total() for stage, names in found.items()}
    assert sum(counts.values()) <= 200  # more than 400 before the step was made short
    assert counts["data"] == 2  # the random numbers, and the views
    assert counts["optimiser"] <= 5
    assert not found["forward"]["_to_copy"]  # no casts of weights, and none of their gradients
    assert not found["backward"]["_to_copy"]
