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

#: On a CPU, the k-th largest of many values is found by groups of them: this number of groups for each of the k
#: places, if a group then has this number of values at least.
_GROUPS_A_PLACE, _LEAST_A_GROUP = 8, 4

#: The largest share of the values that may reach the bound that the groups give.
_MOST_REACHED = 0.25


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
    # With `out`, one pass instead of two, in a quarter of the time on a CPU.
    votes = torch.ge(similarity, last, out=torch.empty_like(similarity)) @ one_hot
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
    count = similarity.shape[1]
    groups = _GROUPS_A_PLACE * k
    if count < _LEAST_A_GROUP * groups:
        return _partitioned(similarity, k)
    # At least k values of a row reach the k-th largest of the maxima of its groups, so the k-th largest value is
    # among them. They are few: the selection among all values takes eight times as long at n = 5,000.
    whole = count - count % groups
    maxima = similarity[:, :whole].unflatten(1, (-1, groups)).amax(dim=1)
    reached = np.flatnonzero((similarity >= _partitioned(maxima, k)).numpy())
    if len(reached) > _MOST_REACHED * similarity.numel() or bool(maxima.isnan().any()):
        return _partitioned(similarity, k)  # many equal values, as from a collapsed encoder
    rows = reached // count
    lengths = np.bincount(rows, minlength=len(similarity))
    values = np.full((len(similarity), lengths.max()), -np.inf, dtype=np.float32)
    place_in_row = np.arange(len(reached)) - (lengths.cumsum() - lengths)[rows]
    values[rows, place_in_row] = similarity.numpy().ravel()[reached]
    return _partitioned(torch.from_numpy(values), k)


def _partitioned(values: Tensor, k: int) -> Tensor:
    """`_kth_largest` by numpy's vectorised selection. It is eight times faster than torch's at n = 1,000."""
    place = values.shape[1] - k
    return torch.from_numpy(np.partition(values.numpy(), place, axis=1)[:, place, None])
