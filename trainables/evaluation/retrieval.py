"""Retrieval accuracies for the retrieval probes: is a query's own image the most similar one in the gallery?

If t images are equally similar at the top and the query's own image is among them, the query counts 1 / t, the
expected result of a random choice. A collapsed encoder maps all images to one point, so it scores chance, 1 / N, and
not 1.

Cho et al. 2024 (TMLR, arXiv 2307.05906) measure two quantities. Both use the projection z, and both average the two
directions between the views. Their text searches for the second view of an image among all images, either of the
data set or under one corruption. Their released code, under corruption, searches only among the C corruptions of
that one image, where chance is 1 / C. The code uses inner products of projections that are not normalised, so a
long projection is similar to all others. Here the projections are normalised, except in probes with `raw` in their
name.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.evaluation.cosine import cosine_blocks, inner_product_blocks


def retrieval_accuracy(queries: Tensor, gallery: Tensor, *, normalised: bool = True) -> float:
    """Accuracy at 1, in [0, 1], for queries `(N, d)` and a gallery `(N, d)`. Query i matches row i.

    Similarity is the cosine, or the inner product if not `normalised`.
    """
    blocks = cosine_blocks if normalised else inner_product_blocks
    found = [
        _found(similarity, torch.arange(start, start + len(similarity), device=similarity.device))
        for start, similarity in blocks(queries, gallery)
    ]
    return float(torch.cat(found).mean())


def mean_retrieval_accuracy(queries: Iterator[Tensor], gallery: Tensor) -> float:
    """Mean of `retrieval_accuracy` over one or more sets of queries, such as one set per corruption."""
    accuracies = [retrieval_accuracy(each, gallery) for each in queries]
    return sum(accuracies) / len(accuracies)


def mutual_retrieval_accuracy(z_a: Tensor, z_b: Tensor, *, normalised: bool) -> float:
    """Mean of `retrieval_accuracy` from first views `(N, d)` to second views and from second to first."""
    forth = retrieval_accuracy(z_a, z_b, normalised=normalised)
    return (forth + retrieval_accuracy(z_b, z_a, normalised=normalised)) / 2


def among_corruptions_accuracy(z_a: Tensor, z_b: Tensor, *, normalised: bool) -> float:
    """Retrieval accuracy among the C corruptions of each image, for views `(C, N, d)` of N images.

    A view is retrieved if, among the image's C other views, the one under the same corruption is the most similar.
    The result is the mean over images, corruptions and both directions.
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
