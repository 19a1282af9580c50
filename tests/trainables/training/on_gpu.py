"""A check of training on a GPU, for the tests and for the benchmark that goes to a machine with a GPU."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.trainables.training.small import member, train, weights
from trainables.training.fused_updates import adam_fused, adam_in_turn, sgd_fused, sgd_in_turn
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


def assert_fused_sgd_is_that_in_turn(device: str = "cuda") -> None:
    """SGD of one fused kernel."""

    def sgd(update: Callable[..., None]) -> Step:
        return lambda p, g, state, _: update(
            p, g, state[0], torch.tensor(0.3, device=device), momentum=0.9, decay=0.1
        )

    _assert_same_steps([sgd(sgd_in_turn), sgd(sgd_fused)], device)


def assert_fused_adam_is_that_in_turn(device: str = "cuda") -> None:
    """Adam of one fused kernel, with the weight decay in the gradient or apart from it."""

    def adam(update: Callable[..., None], decoupled: bool) -> Step:
        numbers = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "decay": 0.1, "decoupled": decoupled}
        return lambda p, g, state, count: update(
            p, g, *state, count, torch.tensor(0.3, device=device), **numbers
        )

    for decoupled in (False, True):
        _assert_same_steps([adam(adam_in_turn, decoupled), adam(adam_fused, decoupled)], device)


#: Updates parameters in place with their gradients, the two lists of their state, and the number of the step.
Step = Callable[[list[Tensor], list[Tensor], list[list[Tensor]], Tensor], None]


def _assert_same_steps(updates: list[Step], device: str) -> None:
    """The updates give the same numbers for parameters in channels-last order, one of them with axes of length 1.

    The gradients are contiguous, so their strides differ from those of these parameters.
    """
    generator, found = torch.Generator().manual_seed(0), []
    shapes = ((3, 4, 5, 5), (64, 32, 1, 1), (7,))
    values = [torch.randn(shape, generator=generator) for shape in shapes]
    steps = [[torch.randn(shape, generator=generator).to(device) for shape in shapes] for _ in range(3)]
    for update in updates:
        parameters = [_channels_last(value.clone().to(device)) for value in values]
        state = [[torch.zeros_like(each) for each in parameters] for _ in range(2)]
        for number, gradients in enumerate(steps, start=1):
            update(parameters, gradients, state, torch.tensor(float(number), device=device))
        found.append([*parameters, *state[0], *state[1]])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def _channels_last(value: Tensor) -> Tensor:
    return value.to(memory_format=torch.channels_last) if value.ndim == 4 else value
