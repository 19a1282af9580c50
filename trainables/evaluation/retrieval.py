"""Retrieval: is the image of a query the most similar of all images of the split?

A query that finds t equally similar images at the top, its own among them, counts 1 / t: what a choice among them
at random would find. A collapsed encoder, to which all images are one, so scores chance, 1 / N, and not 1.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from trainables.evaluation.cosine import cosine_blocks


def retrieval_accuracy(queries: Tensor, gallery: Tensor) -> float:
    """Accuracy at 1, in [0, 1]: query i `(N, d)` looks for row i of the gallery `(N, d)` by cosine similarity."""
    found = [
        _found(similarity, torch.arange(start, start + len(similarity), device=similarity.device))
        for start, similarity in cosine_blocks(queries, gallery)
    ]
    return float(torch.cat(found).mean())


def mean_retrieval_accuracy(queries: Iterator[Tensor], gallery: Tensor) -> float:
    """Mean of `retrieval_accuracy` over sets of queries, such as one a corruption. At least one set."""
    accuracies = [retrieval_accuracy(each, gallery) for each in queries]
    return sum(accuracies) / len(accuracies)


def _found(similarity: Tensor, own: Tensor) -> Tensor:
    best = similarity.amax(dim=1, keepdim=True)
    at_the_top = (similarity == best).sum(dim=1, dtype=torch.int32)
    return (similarity.gather(1, own[:, None]) == best)[:, 0].double() / at_the_top
