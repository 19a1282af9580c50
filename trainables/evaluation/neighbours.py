"""Classification by the k nearest neighbours in cosine similarity, for the knn probe and learning curves.

Each neighbour has one vote (Wu et al. 2018 weight the votes). The order of the images does not affect ties: if
several neighbours are equally similar at the k-th place, they share the remaining votes. If classes have equal
votes, the lowest class wins, as in scikit-learn.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.evaluation.cosine import cosine_blocks
from trainables.evaluation.features import Labelled


def knn_accuracy(train: Labelled, queries: Labelled, *, k: int) -> float:
    """Accuracy in [0, 1] of the vote of the `min(k, n)` nearest of the n training rows, over the queries."""
    one_hot = F.one_hot(train.labels).float()
    k = min(k, len(one_hot))
    predicted = [
        _votes(similarity, one_hot, k).argmax(dim=1)
        for _, similarity in cosine_blocks(queries.features, train.features)
    ]
    return float((torch.cat(predicted) == queries.labels).double().mean())


def _votes(similarity: Tensor, one_hot: Tensor, k: int) -> Tensor:
    """Votes for each class, `(b, C)`, from similarities `(b, n)` and the one-hot classes of the n rows `(n, C)`."""
    last = _kth_largest(similarity, k)
    votes = (similarity >= last).float() @ one_hot
    if similarity.is_cuda:
        return _shared_votes(votes, (similarity > last).float() @ one_hot, k)
    crowded = votes.sum(dim=1) > k
    if crowded.any():
        nearer = (similarity[crowded] > last[crowded]).float() @ one_hot
        votes[crowded] = _shared_votes(votes[crowded], nearer, k)
    return votes


def _shared_votes(votes: Tensor, nearer: Tensor, k: int) -> Tensor:
    """The votes of the `nearer` neighbours, and the remaining votes shared by those tied at the k-th place.

    Without a tie the result is `votes`, exactly, so a GPU computes all rows and does not wait for the tied ones.
    """
    tied = votes - nearer  # integers, so that equal shares are exactly equal
    return nearer + tied * ((k - nearer.sum(dim=1)) / tied.sum(dim=1))[:, None]


def _kth_largest(similarity: Tensor, k: int) -> Tensor:
    """The k-th largest value of each row of `(b, n)`, as `(b, 1)`."""
    if similarity.is_cuda:
        return similarity.topk(k, dim=1, sorted=False).values.amin(dim=1, keepdim=True)
    # On a CPU, numpy's vectorised selection is eight times faster than torch's at n = 1,000.
    place = similarity.shape[1] - k
    return torch.from_numpy(np.partition(similarity.numpy(), place, axis=1)[:, place, None])
