"""Nearest neighbours: scikit-learn's answers, and ties that do not depend on the order of the images."""

import pytest
import torch

from tests.trainables.evaluation.known_features import clusters
from trainables.evaluation import cosine
from trainables.evaluation.features import Labelled
from trainables.evaluation.neighbours import _shared_votes, knn_accuracy


@pytest.mark.parametrize("k", [1, 7, 20])
def test_the_answers_are_scikit_learns(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    monkeypatch.setattr(cosine, "_BLOCK", 1000)  # several blocks, the last one short
    train, test = clusters(90, 0, spread=1.0), clusters(200, 1, spread=1.0)
    theirs = KNeighborsClassifier(k, metric="cosine", algorithm="brute").fit(train.features, train.labels)
    assert knn_accuracy(train, test, k=k) == pytest.approx(theirs.score(test.features, test.labels))


def test_length_of_the_features_does_not_matter() -> None:
    train, test = clusters(90, 0, spread=1.0), clusters(200, 1, spread=1.0)
    lengths = 1 + torch.rand(200, 1, generator=torch.Generator().manual_seed(0))
    scaled = Labelled(features=lengths * test.features, labels=test.labels)
    assert knn_accuracy(train, test, k=5) == knn_accuracy(train, scaled, k=5)


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
def test_neighbours_tied_at_the_last_place_share_its_votes(order: list[int]) -> None:
    """One neighbour of class 0 is nearest; of four equal ones behind it, three are of class 1."""
    near, far = [1.0, 0.0], [0.6, 0.8]
    rows, labels = torch.tensor([near, far, far, far, far]), torch.tensor([0, 1, 1, 1, 0])
    train = Labelled(features=rows[order], labels=labels[order])
    query = Labelled(features=torch.tensor([near]), labels=torch.tensor([0]))
    # k = 3: class 0 has 1 + 2/4, class 1 has 3 * 2/4, and equal votes go to class 0. k = 4: 1 + 3/4 against 9/4.
    assert knn_accuracy(train, query, k=3) == 1.0
    assert knn_accuracy(train, query, k=4) == 0.0


def test_more_neighbours_than_rows_are_all_rows() -> None:
    train = Labelled(features=torch.eye(3), labels=torch.tensor([0, 1, 1]))
    query = Labelled(features=torch.eye(3)[:1], labels=torch.tensor([1]))
    assert knn_accuracy(train, query, k=20) == 1.0


def test_votes_that_are_shared_for_all_rows_at_once_are_exact_without_a_tie() -> None:
    """A GPU shares the votes of every row; rows without a tie must keep theirs to the bit."""
    nearer = torch.tensor([[3.0, 1.0, 0.0], [2.0, 2.0, 2.0], [0.0, 1.0, 0.0]])
    votes = nearer + torch.tensor([[0.0, 3.0, 0.0], [0.0, 0.0, 1.0], [3.0, 2.0, 1.0]])
    assert _shared_votes(votes[:2], nearer[:2], 7).equal(votes[:2])
    assert _shared_votes(votes[2:], nearer[2:], 4).tolist() == [[1.5, 2.0, 0.5]]
