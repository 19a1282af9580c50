"""Retrieval: is the image of a query the most similar of all images of the split?

A query that finds t equally similar images at the top, its own among them, counts 1 / t: what a choice among them
at random would find. A collapsed encoder, to which all images are one, so scores chance, 1 / N, and not 1.

Two questions of Cho et al. 2024 (TMLR, arXiv 2307.05906), both about the projection z and both ways, from
either view to the other: their text looks for the second view of an image among all images, of the data set or
under one corruption; their released code looks, under corruption, among the C corruptions of that one image alone,
where chance is 1 / C. The code takes inner products of projections of any length, so a long one is similar to all;
here they are normalised, or `raw` where a name says so.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.evaluation.cosine import cosine_blocks, inner_product_blocks


def retrieval_accuracy(queries: Tensor, gallery: Tensor, *, normalised: bool = True) -> float:
    """Accuracy at 1, in [0, 1]: query i `(N, d)` looks for row i of the gallery `(N, d)`.

    By cosine similarity, or by inner product where not `normalised`.
    """
    blocks = cosine_blocks if normalised else inner_product_blocks
    found = [
        _found(similarity, torch.arange(start, start + len(similarity), device=similarity.device))
        for start, similarity in blocks(queries, gallery)
    ]
    return float(torch.cat(found).mean())


def mean_retrieval_accuracy(queries: Iterator[Tensor], gallery: Tensor) -> float:
    """Mean of `retrieval_accuracy` over sets of queries, such as one a corruption. At least one set."""
    accuracies = [retrieval_accuracy(each, gallery) for each in queries]
    return sum(accuracies) / len(accuracies)


def mutual_retrieval_accuracy(z_a: Tensor, z_b: Tensor, *, normalised: bool) -> float:
    """Mean of `retrieval_accuracy` from the first views `(N, d)` to the second and from the second to the first."""
    forth = retrieval_accuracy(z_a, z_b, normalised=normalised)
    return (forth + retrieval_accuracy(z_b, z_a, normalised=normalised)) / 2


def among_corruptions_accuracy(z_a: Tensor, z_b: Tensor, *, normalised: bool) -> float:
    """Of views `(C, N, d)` of N images under C corruptions: is each image's view under a corruption closest to its
    other view under the same one, among the C of that image? Mean over images, corruptions and both ways.
    """
    if normalised:
        z_a, z_b = F.normalize(z_a, dim=2), F.normalize(z_b, dim=2)
    similarity = z_a.transpose(0, 1) @ z_b.permute(1, 2, 0)  # (N, C, C)
    own = torch.arange(len(z_a), device=z_a.device).repeat(z_a.shape[1])
    ways = [_found(each.flatten(0, 1), own).mean() for each in (similarity, similarity.mT)]
    return float(sum(ways)) / 2


def _found(similarity: Tensor, own: Tensor) -> Tensor:
    best = similarity.amax(dim=1, keepdim=True)
    at_the_top = (similarity == best).sum(dim=1, dtype=torch.int32)
    return (similarity.gather(1, own[:, None]) == best)[:, 0].double() / at_the_top
