"""A check of training on a GPU, for the tests and for the benchmark that goes to a machine with a GPU."""

import pytest
import torch

from tests.trainables.training.small import member, train, weights
from trainables.training.fused_updates import fused_kernel, operators_in_turn
from trainables.training.member import Member
from trainables.training.twin import Twin


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


def assert_a_twin_trains_as_autocast() -> None:
    """On a GPU, bfloat16 copies of the weights give the numbers of autocast to the bit."""

    def trained() -> tuple[Member, float | None]:
        each = member(0, steps=20, precision="bfloat16")
        each.model.cuda()
        (facts,) = train([each], device="cuda")
        return each, facts.train_loss_last

    twinned, loss = trained()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "trainables.training.trainer.twin_on",
            lambda device, network, precision: Twin(network=network, copies={}),
        )
        plain, expected = trained()
    assert loss == expected
    assert torch.equal(weights(twinned), weights(plain))


def assert_the_fused_update_is_that_of_the_operators_in_turn(device: str = "cuda") -> None:
    """SGD of one fused kernel, for parameters in channels-last order, one of them with axes of length 1.

    The gradients are contiguous, so they have other strides than these parameters.
    """
    generator, found = torch.Generator().manual_seed(0), []
    shapes = ((3, 4, 5, 5), (64, 32, 1, 1), (7,))
    values = [torch.randn(shape, generator=generator) for shape in shapes]
    steps = [[torch.randn(shape, generator=generator).to(device) for shape in shapes] for _ in range(3)]
    for update in (operators_in_turn, fused_kernel):
        parameters = [_channels_last(value.clone().to(device)) for value in values]
        momenta = [torch.zeros_like(each) for each in parameters]
        for gradients in steps:
            update(parameters, gradients, momenta, torch.tensor(0.3, device=device), momentum=0.9, decay=0.1)
        found.append([*parameters, *momenta])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def _channels_last(value: torch.Tensor) -> torch.Tensor:
    return value.to(memory_format=torch.channels_last) if value.ndim == 4 else value
