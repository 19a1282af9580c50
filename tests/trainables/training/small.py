"""Members that train in milliseconds."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from trainables.config import DataConfig, EncoderConfig, TrainingConfig
from trainables.datasets.datasets import load_dataset
from trainables.encoders.encoders import build_model
from trainables.encoders.model import ContrastiveModel
from trainables.losses import build_loss
from trainables.training.member import Member, PretrainFacts, Streams
from trainables.training.pretrain import pretraining
from trainables.training.trials import torch_images
from trainables.turns import finish
from trainables.views.batched import build_views


def config(**changes: Any) -> TrainingConfig:
    return TrainingConfig(**({"batch_size": 8, "lr": 0.4, "steps": 5} | changes))


def small_model(seed: int = 0) -> ContrastiveModel:
    encoder = EncoderConfig(name="small_conv", width=4, projection_dim=8)
    return build_model(encoder, channels=1, size=8, seed_generator=torch.Generator().manual_seed(seed))


def member(seed: int = 0, loss: Any = None, **changes: Any) -> Member:
    built = build_loss("ntxent") if loss is None else loss
    return Member(model=small_model(seed), loss=built, config=config(**changes), seed=seed)


def streams(seed: int, device: str = "cpu") -> Streams:
    order = torch.Generator().manual_seed(100 + seed)
    return Streams(
        order=order,
        views=torch.Generator(device).manual_seed(200 + seed),
        selection_views=torch.Generator(device).manual_seed(300 + seed),
    )


def train(
    members: Sequence[Member],
    report: Callable[[Any], None] = lambda facts: None,
    device: str = "cpu",
    **how: Any,
) -> list[PretrainFacts]:
    digits = load_dataset(DataConfig(name="digits", train_limit=20), None).train.images
    turns = pretraining(
        members,
        torch_images(digits).to(device),
        build_views("digits", channels=1, size=8),
        {each.seed: streams(each.seed, device) for each in members},
        report=report,
        **how,
    )
    return finish(turns)


def weights(trained: Member) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in trained.model.parameters()])
