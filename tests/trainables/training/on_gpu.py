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


def assert_the_fused_update_is_that_of_the_operators_in_turn() -> None:
    """SGD of one fused kernel on a GPU, for a parameter in channels-last order with axes of length 1."""
    generator, found = torch.Generator().manual_seed(0), []
    values = [torch.randn(64, 32, 1, 1, generator=generator), torch.randn(7, generator=generator)]
    given = [torch.randn(value.shape, generator=generator).cuda() for value in values]
    for update in (operators_in_turn, fused_kernel):
        parameters = [values[0].cuda().to(memory_format=torch.channels_last), values[1].cuda()]
        momenta = [torch.zeros_like(each) for each in parameters]
        for _ in range(3):
            update(parameters, given, momenta, torch.tensor(0.3, device="cuda"), momentum=0.9, decay=0.1)
        found.append([*parameters, *momenta])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
