"""A check of training on a GPU, for the tests and for the benchmark that goes to a machine with a GPU."""

import pytest
import torch

from tests.trainables.training.small import member, train, weights
from trainables.training.member import Member


def assert_equals_eager(execution: str) -> None:
    """Weights and losses on a GPU after steps in this mode of execution: those of eager steps but for rounding."""

    def on_gpu() -> list[Member]:
        each = member(0, steps=20)
        each.model.cuda()
        return [each]

    graphed, eager = on_gpu(), on_gpu()
    (one,), (other,) = train(graphed, execution=execution, device="cuda"), train(eager, device="cuda")
    torch.testing.assert_close(weights(graphed[0]), weights(eager[0]), rtol=1e-4, atol=1e-4)
    assert one.train_loss_last == pytest.approx(other.train_loss_last, rel=1e-4)
