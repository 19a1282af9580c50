"""The SGD probe: torch's own SGD, written out, and the full-batch solve on data that both can solve."""

import pytest
import torch
from torch.nn import functional as F

from tests.trainables.evaluation.known_features import clusters
from trainables.evaluation.features import Labelled
from trainables.evaluation.linear_classifier import LinearClassifier
from trainables.evaluation.logistic import fit_logistic
from trainables.evaluation.sgd_probe import fit_sgd, fit_sgd_together


def fit(train: Labelled, *, epochs: int = 5, seed: int = 0, batch_size: int = 32) -> LinearClassifier:
    order = torch.Generator().manual_seed(seed)
    return fit_sgd(train, epochs=epochs, lr=0.1, weight_decay=1e-4, batch_size=batch_size, order=order)


def reference(train: Labelled, *, epochs: int, seed: int, batch_size: int) -> torch.nn.Linear:
    """The protocol in torch's own terms: `nn.Linear`, cross-entropy, SGD and a linear schedule."""
    layer = torch.nn.Linear(train.features.shape[1], 3)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    steps = epochs * -(-len(train.labels) // batch_size)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for batch in torch.randperm(len(train.labels), generator=order).split(batch_size):
            optimizer.zero_grad()
            F.cross_entropy(layer(train.features[batch]), train.labels[batch]).backward()
            optimizer.step()
            schedule.step()
    return layer


def test_the_steps_are_those_of_torch() -> None:
    train = clusters(75, 0, spread=0.5)  # the last batch of an epoch is short
    layer = reference(train, epochs=4, seed=1, batch_size=32)
    found = fit(train, epochs=4, seed=1)
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


def test_probes_together_are_the_probes_one_at_a_time() -> None:
    trains = [clusters(75, seed, spread=0.5) for seed in (3, 1, 2)]  # the last batch of an epoch is short
    orders = [torch.Generator().manual_seed(seed) for seed in range(3)]
    together = fit_sgd_together(trains, epochs=4, lr=0.1, weight_decay=1e-4, batch_size=32, orders=orders)
    for seed, (train, found) in enumerate(zip(trains, together, strict=True)):
        alone = fit(train, epochs=4, seed=seed)
        torch.testing.assert_close(found.weights, alone.weights, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(found.biases, alone.biases, atol=1e-6, rtol=1e-5)
        assert torch.equal(found.classes, alone.classes)


def test_probes_together_need_equal_shapes_and_classes() -> None:
    def together(*trains: Labelled) -> None:
        orders = [torch.Generator() for _ in trains]
        fit_sgd_together(trains, epochs=1, lr=0.1, weight_decay=0, batch_size=8, orders=orders)

    train = clusters(75, 0)
    with pytest.raises(ValueError, match=r"trains: got shapes \[\(60, .*; allowed is one shape"):
        together(train, clusters(60, 0))
    with pytest.raises(ValueError, match="trains: got different classes"):
        together(train, Labelled(features=train.features, labels=train.labels + 1))
