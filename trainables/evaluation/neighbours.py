"""Classification by the k nearest neighbours, for the knn probe and learning curves.

Near is a high cosine similarity or a short Euclidean distance. Each neighbour has one vote, or the weight
exp(cosine / temperature) of Wu et al. 2018 (arXiv 1805.01978, equation 5 and the text after it). The order of the
images does not affect ties: if several neighbours are equally similar at the k-th place, they share the remaining
votes. If classes have equal votes, the lowest class wins, as in scikit-learn.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.evaluation.cosine import cosine_blocks, euclidean_blocks
from trainables.evaluation.features import Labelled
from trainables.turns import Turn, Turns, finish

if TYPE_CHECKING:
    from trainables.config import ProbeConfig

_BLOCKS = {"cosine": cosine_blocks, "euclidean": euclidean_blocks}


def knn_accuracy(train: Labelled, queries: Labelled, probe: "ProbeConfig") -> float:
    """Accuracy in [0, 1] of the vote of the `min(k, n)` nearest of the n training rows, over the queries.

    k, the weights of the votes and the distance are those of `probe`.
    """
    return finish(knn_turns(train, queries, probe))


def knn_turns(train: Labelled, queries: Labelled, probe: "ProbeConfig") -> Turns[float]:
    """Like `knn_accuracy`, but with a pause after each block of queries."""
    one_hot = F.one_hot(train.labels).float()
    k = min(probe.knn_k, len(one_hot))
    predicted = []
    for _, similarity in _BLOCKS[probe.knn_distance](queries.features, train.features):
        if probe.knn_weights == "exponential":
            votes = _weighted_votes(similarity, one_hot, k, probe.knn_temperature)
        else:
            votes = _votes(similarity, one_hot, k)
        predicted.append(votes.argmax(dim=1))
        yield Turn.STEP
    yield Turn.STAGE
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


def _weighted_votes(similarity: Tensor, one_hot: Tensor, k: int, temperature: float) -> Tensor:
    """Sums of exp(similarity / temperature) over each class's neighbours, `(b, C)`, up to a factor for each query.

    The factor makes the nearest neighbour's weight 1, so that no temperature overflows.
    """
    last = _kth_largest(similarity, k)
    nearest = similarity.amax(dim=1, keepdim=True)
    nearer = similarity > last
    votes = ((similarity - nearest) / temperature).exp_().mul_(nearer) @ one_hot
    tied = (similarity == last).float() @ one_hot
    share = (k - nearer.sum(dim=1, keepdim=True)) / tied.sum(dim=1, keepdim=True)
    return votes + tied * (share * ((last - nearest) / temperature).exp_())


def _kth_largest(similarity: Tensor, k: int) -> Tensor:
    """The k-th largest value of each row of `(b, n)`, as `(b, 1)`."""
    if similarity.is_cuda:
        return similarity.topk(k, dim=1, sorted=False).values.amin(dim=1, keepdim=True)
    # On a CPU, numpy's vectorised selection is eight times faster than torch's at n = 1,000.
    place = similarity.shape[1] - k
    return torch.from_numpy(np.partition(similarity.numpy(), place, axis=1)[:, place, None])
