"""A twin trains as autocast does, bit for bit, and leaves networks of a user alone."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from tests.trainables.training import on_gpu
from tests.trainables.training.small import member, small_model, streams, train, weights
from trainables.config import DataConfig
from trainables.datasets.datasets import load_dataset
from trainables.training.member import Member
from trainables.training.trainer import Trainer
from trainables.training.trials import torch_images
from trainables.training.twin import Twin, make_twin
from trainables.views.batched import build_views


@pytest.fixture
def with_twins(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function after whose call training uses twins on the CPU."""

    def anywhere(device: torch.device, network: nn.Module, precision: str) -> Twin:
        return make_twin(network, precision)

    return lambda: monkeypatch.setattr("trainables.training.trainer.twin_on", anywhere)


def states(members: list[Member]) -> list[torch.Tensor]:
    return [value for each in members for value in each.model.state_dict().values()]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize("optimizer", ["sgd", "lars", "adam", "adamw"])
def test_training_with_a_twin_is_training_with_autocast(
    with_twins: Callable[[], None], count: int, precision: str, optimizer: str
) -> None:
    plain, twinned = (
        [member(seed, precision=precision, optimizer=optimizer) for seed in range(count)] for _ in range(2)
    )
    expected = train(plain)
    with_twins()
    found = train(twinned)
    assert [each.train_loss_last for each in found] == [each.train_loss_last for each in expected]
    for mine, theirs in zip(states(twinned), states(plain), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_twin_continues_from_a_checkpoint_to_the_bit(
    with_twins: Callable[[], None], optimizer: str
) -> None:
    with_twins()
    images = torch_images(load_dataset(DataConfig(name="digits", train_limit=20), None).train.images)
    views = build_views("digits", channels=1, size=8)

    def trainer() -> Trainer:
        trained = [member(precision="bfloat16", optimizer=optimizer)]
        return Trainer(trained, images, views, {0: streams(0)}, torch.device("cpu"), "eager")

    whole, first, second = trainer(), trainer(), trainer()
    for _ in range(4):
        whole.advance()
    for _ in range(2):
        first.advance()
    second.restore(first.state())
    for _ in range(2):
        second.advance()
    assert torch.equal(second.losses, whole.losses)


class OwnLayer(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_networks_with_own_code_hooks_or_shared_weights_have_no_twin() -> None:
    hooked, own, shared = small_model(), small_model(), small_model()
    hooked.register_forward_hook(lambda *_: None)
    own.encoder = nn.Sequential(own.encoder, OwnLayer())
    shared.head[3].weight = shared.head[0].weight
    for network in (hooked, own, shared):
        assert make_twin(network, "bfloat16").network is network
    assert not make_twin(small_model(), "float32").copies


def test_the_input_is_bfloat16_if_the_first_layer_casts_it() -> None:
    normalised = small_model()
    normalised.encoder = nn.Sequential(nn.BatchNorm2d(1), normalised.encoder)
    assert make_twin(normalised, "bfloat16").input_dtype == torch.float32
    assert make_twin(small_model(), "bfloat16").input_dtype == torch.bfloat16
    assert make_twin(small_model(), "float32").input_dtype == torch.float32


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    "check",
    [
        on_gpu.assert_a_twin_trains_as_autocast,
        on_gpu.assert_fused_sgd_is_that_in_turn,
        on_gpu.assert_fused_adam_is_that_in_turn,
    ],
)
def test_on_a_gpu(check: Callable[[], None]) -> None:
    check()


@pytest.mark.slow
def test_a_compiled_twin_trains_as_an_eager_one(with_twins: Callable[[], None]) -> None:
    """Weights move in the same direction. In bfloat16, fused operators round less often than eager ones."""
    with_twins()
    compiled, eager, start = (member(precision="bfloat16", lr=0.02) for _ in range(3))
    train([compiled], execution="compiled")
    train([eager])
    assert compiled.model.head[1].num_batches_tracked == eager.model.head[1].num_batches_tracked == 5
    moves = weights(compiled) - weights(start), weights(eager) - weights(start)
    assert torch.cosine_similarity(*moves, dim=0) > 0.99
