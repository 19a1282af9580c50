"""The probes by SGD and by Adam: torch's own optimisers, and the full-batch solve on data that both can solve."""

import pytest
import torch
from torch.nn import functional as F

from tests.trainables.evaluation.known_features import clusters
from trainables.evaluation.features import Labelled
from trainables.evaluation.linear_classifier import LinearClassifier
from trainables.evaluation.logistic import fit_logistic
from trainables.evaluation.sgd_probe import Epoch, fit_adam, fit_sgd
from trainables.turns import Turn, Turns, finish, in_one_turn

#: Settings with which both optimisers move far.
_SETTINGS = {"weight_decay": 0.01, "batch_size": 32}


def fit(
    train: Labelled, *, epochs: int = 5, seed: int = 0, batch_size: int = 32, schedule: str = "linear"
) -> LinearClassifier:
    order = torch.Generator().manual_seed(seed)
    return finish(
        fit_sgd(
            train,
            epochs=epochs,
            lr=0.1,
            weight_decay=1e-4,
            batch_size=batch_size,
            schedule=schedule,
            order=order,
        )
    )


def reference(
    method: str, train: Labelled, schedule: str, *, epochs: int, features: list[torch.Tensor]
) -> torch.nn.Linear:
    """The protocol in torch's own terms: `nn.Linear`, cross-entropy, an optimiser and a schedule.

    `features` has the features of each epoch.
    """
    layer = torch.nn.Linear(train.features.shape[1], 3)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    decay, batch_size = _SETTINGS["weight_decay"], int(_SETTINGS["batch_size"])
    optimizer: torch.optim.Optimizer = (
        torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9, weight_decay=decay)
        if method == "sgd"
        else torch.optim.Adam(layer.parameters(), lr=0.1, weight_decay=decay)
    )
    # The rate of SGD falls after each step, that of Adam after each epoch.
    length = epochs * -(-len(train.labels) // batch_size) if method == "sgd" else epochs
    schedules = torch.optim.lr_scheduler
    falling = {
        "linear": lambda: schedules.LinearLR(optimizer, 1.0, 0.0, length),
        "cosine": lambda: schedules.CosineAnnealingLR(optimizer, length),
        "constant": lambda: schedules.ConstantLR(optimizer, 1.0),
    }[schedule]()
    order = torch.Generator().manual_seed(1)
    for own in features:
        for batch in torch.randperm(len(train.labels), generator=order).split(batch_size):
            optimizer.zero_grad()
            F.cross_entropy(layer(own[batch]), train.labels[batch]).backward()
            optimizer.step()
            if method == "sgd":
                falling.step()
        if method == "adam":
            falling.step()
    return layer


def fitted(
    method: str, train: Labelled, schedule: str, *, epochs: int, augmented: Epoch | None
) -> LinearClassifier:
    order = torch.Generator().manual_seed(1)
    fits = {"sgd": fit_sgd, "adam": fit_adam}
    return finish(
        fits[method](
            train,
            epochs=epochs,
            lr=0.1,
            weight_decay=_SETTINGS["weight_decay"],
            batch_size=int(_SETTINGS["batch_size"]),
            schedule=schedule,
            order=order,
            augmented=augmented,
        )
    )


@pytest.mark.parametrize("new_features", [False, True])
@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
@pytest.mark.parametrize("method", ["sgd", "adam"])
def test_the_steps_are_those_of_torch(method: str, schedule: str, new_features: bool) -> None:
    train = clusters(75, 0, spread=0.5)  # the last batch of an epoch is short
    features = [train.features.roll(epoch, dims=1) if new_features else train.features for epoch in range(4)]
    left = iter(features)

    @in_one_turn
    def augmented() -> torch.Tensor:
        return next(left)

    layer = reference(method, train, schedule, epochs=4, features=features)
    found = fitted(method, train, schedule, epochs=4, augmented=augmented if new_features else None)
    torch.testing.assert_close(found.weights, layer.weight.detach(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found.biases, layer.bias.detach(), atol=1e-6, rtol=1e-5)


def test_it_agrees_with_the_full_solve_on_separable_data() -> None:
    train, test = clusters(300, 0), clusters(300, 1)
    full = fit_logistic(train.features, train.labels, l2=1.0)
    assert (
        fit(train, epochs=50).accuracy(test)
        == full.accuracy(Labelled(features=test.features.double(), labels=test.labels))
        == pytest.approx(1.0)
    )


def test_a_fit_repeats_and_depends_on_the_order_alone() -> None:
    train = clusters(90, 0, spread=0.5)
    assert torch.equal(fit(train).weights, fit(train).weights)
    assert not torch.equal(fit(train).weights, fit(train, seed=1).weights)


def test_a_batch_above_the_data_is_the_whole_data() -> None:
    train = clusters(90, 0, spread=0.5)
    torch.testing.assert_close(fit(train, batch_size=90).weights, fit(train, batch_size=1024, seed=1).weights)


def test_a_fit_pauses_every_50_steps() -> None:
    train, order = clusters(90, 0), torch.Generator()
    turns: Turns[LinearClassifier] = fit_sgd(
        train, epochs=40, lr=0.1, weight_decay=0.0, batch_size=30, schedule="constant", order=order
    )
    assert list(turns) == [Turn.STEP, Turn.STEP, Turn.STAGE]  # 120 steps
