"""Nearest neighbours: scikit-learn's answers, and ties that do not depend on the order of the images."""

import math

import pytest
import torch
from torch.nn import functional as F

from tests.trainables.evaluation.known_features import clusters
from trainables.config import ProbeConfig
from trainables.evaluation import cosine
from trainables.evaluation.features import Labelled
from trainables.evaluation.neighbours import _kth_largest, _shared_votes, _weighted_votes, knn_accuracy


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [1, 7, 20])
def test_the_answers_are_scikit_learns(k: int, distance: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    monkeypatch.setattr(cosine, "_BLOCK", 1000)  # several blocks, the last one short
    train, test = (shifted(clusters(n, seed, spread=1.0)) for seed, n in enumerate((90, 200)))
    theirs = KNeighborsClassifier(k, metric=distance, algorithm="brute").fit(train.features, train.labels)
    found = knn_accuracy(train, test, ProbeConfig(knn_k=k, knn_distance=distance))
    assert found == pytest.approx(theirs.score(test.features, test.labels))


def shifted(given: Labelled) -> Labelled:
    """The features of another origin, for which the two distances find other neighbours."""
    return Labelled(features=given.features + 2.0, labels=given.labels)


@pytest.mark.parametrize("temperature", [0.02, 0.1, 5.0])
def test_exponential_weights_are_those_of_wu_et_al(temperature: float) -> None:
    """The loop of equation 5: the weight exp(cosine / temperature) of each of the k nearest images."""
    train, test = clusters(90, 0, spread=1.0), clusters(200, 1, spread=1.0)
    correct = 0
    for query, label in zip(test.features, test.labels, strict=True):
        cosines = F.cosine_similarity(query[None], train.features).double()
        votes = [0.0, 0.0, 0.0]
        for index in cosines.argsort(descending=True)[:15].tolist():
            votes[int(train.labels[index])] += math.exp(float(cosines[index]) / temperature)
        correct += votes.index(max(votes)) == int(label)
    weighted = ProbeConfig(knn_k=15, knn_weights="exponential", knn_temperature=temperature)
    assert knn_accuracy(train, test, weighted) == pytest.approx(correct / 200)


def test_exponential_weights_lie_between_one_neighbour_and_equal_votes() -> None:
    # With two classes, an odd number of equal votes is never tied.
    train, test = (
        Labelled(features=each.features, labels=each.labels.clamp(max=1))
        for each in (clusters(90, 0, spread=1.0), clusters(200, 1, spread=1.0))
    )

    def weighted(temperature: float) -> float:
        probe = ProbeConfig(knn_k=15, knn_weights="exponential", knn_temperature=temperature)
        return knn_accuracy(train, test, probe)

    assert weighted(1e-6) == knn_accuracy(train, test, ProbeConfig(knn_k=1))
    assert weighted(1e6) == knn_accuracy(train, test, ProbeConfig(knn_k=15))
    assert weighted(1e-6) != weighted(0.1) != weighted(1e6)


def test_weighted_neighbours_tied_at_the_last_place_share_its_votes() -> None:
    """The nearest has cosine 1 and class 0; four of cosine 0.6 share two votes, three of them of class 1.

    Class 0 has 1 + 2/4 w and class 1 has 3 * 2/4 w, where w = exp((0.6 - 1) / T).
    """
    near, far = [1.0, 0.0], [0.6, 0.8]
    rows, labels = torch.tensor([near, far, far, far, far]), torch.tensor([0, 1, 1, 1, 0])
    votes = _weighted_votes(F.normalize(rows[:1]) @ F.normalize(rows).mT, F.one_hot(labels).float(), 3, 0.5)
    w = math.exp(-0.4 / 0.5)
    torch.testing.assert_close(votes, torch.tensor([[1 + 0.5 * w, 1.5 * w]]))


def test_length_of_the_features_does_not_matter() -> None:
    train, test = clusters(90, 0, spread=1.0), clusters(200, 1, spread=1.0)
    lengths = 1 + torch.rand(200, 1, generator=torch.Generator().manual_seed(0))
    scaled = Labelled(features=lengths * test.features, labels=test.labels)
    assert knn_accuracy(train, test, ProbeConfig(knn_k=5)) == knn_accuracy(
        train, scaled, ProbeConfig(knn_k=5)
    )


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
def test_neighbours_tied_at_the_last_place_share_its_votes(order: list[int]) -> None:
    """One neighbour of class 0 is nearest; of four equal ones behind it, three are of class 1."""
    near, far = [1.0, 0.0], [0.6, 0.8]
    rows, labels = torch.tensor([near, far, far, far, far]), torch.tensor([0, 1, 1, 1, 0])
    train = Labelled(features=rows[order], labels=labels[order])
    query = Labelled(features=torch.tensor([near]), labels=torch.tensor([0]))
    # k = 3: class 0 has 1 + 2/4, class 1 has 3 * 2/4, and equal votes go to class 0. k = 4: 1 + 3/4 against 9/4.
    assert knn_accuracy(train, query, ProbeConfig(knn_k=3)) == 1.0
    assert knn_accuracy(train, query, ProbeConfig(knn_k=4)) == 0.0


def test_more_neighbours_than_rows_are_all_rows() -> None:
    train = Labelled(features=torch.eye(3), labels=torch.tensor([0, 1, 1]))
    query = Labelled(features=torch.eye(3)[:1], labels=torch.tensor([1]))
    assert knn_accuracy(train, query, ProbeConfig(knn_k=20)) == 1.0


def test_votes_that_are_shared_for_all_rows_at_once_are_exact_without_a_tie() -> None:
    """A GPU shares the votes of every row; rows without a tie must keep theirs to the bit."""
    nearer = torch.tensor([[3.0, 1.0, 0.0], [2.0, 2.0, 2.0], [0.0, 1.0, 0.0]])
    votes = nearer + torch.tensor([[0.0, 3.0, 0.0], [0.0, 0.0, 1.0], [3.0, 2.0, 1.0]])
    assert _shared_votes(votes[:2], nearer[:2], 7).equal(votes[:2])
    assert _shared_votes(votes[2:], nearer[2:], 4).tolist() == [[1.5, 2.0, 0.5]]


@pytest.mark.parametrize("count", [160, 640, 1003, 5000])
def test_the_kth_largest_value_is_that_of_a_sorted_row(count: int) -> None:
    """Also among few values, tied ones, rows with one value, and rows with NaN, which a sort puts last."""
    similarity = torch.randn(32, count, generator=torch.Generator().manual_seed(count))
    tied = similarity.mul(4).round_()
    lopsided = similarity.sort(dim=1).values  # all large values in the last groups
    collapsed, undefined = torch.zeros(32, count), similarity.clone()
    undefined[:, ::7] = torch.nan
    one_constant_row = torch.cat([similarity[:31], torch.zeros(1, count)])
    for values in (similarity, tied, lopsided, collapsed, one_constant_row, undefined):
        found = _kth_largest(values, 20)
        expected = values.sort(dim=1).values[:, -20, None]
        torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)
