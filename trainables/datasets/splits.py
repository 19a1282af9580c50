"""Fixed subsets: the validation split and the limits are prefixes of one class-balanced order.

The order depends on the labels and on a constant alone, never on a trial's seed, so every trial of every
study trains, selects and reports on the same images. It is built from raw PCG64 output, which numpy promises
to keep, and not from `Generator.permutation`, which it does not.
"""

import numpy as np

from trainables.datasets.source import UNLABELLED, Indices

#: Constant of all orders; changing it changes every result.
ORDER_SEED = 20240518


def balanced_order(labels: Indices, salt: int = 0) -> Indices:
    """A fixed shuffle of 0 .. N-1 in which every prefix holds the classes in proportion, to within one image.

    Each class is shuffled on its own; the image of rank r among the n of its class stands at (r + 1/2) / n,
    and ties are broken at random. `salt` tells apart orders that must not coincide.
    """
    keys = np.random.PCG64([ORDER_SEED, salt]).random_raw(len(labels))
    position = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        rank = np.argsort(np.argsort(keys[members], kind="stable"), kind="stable")
        position[members] = (rank + 0.5) / len(members)
    return np.lexsort((keys, position)).astype(np.int64)


def split_validation(labels: Indices, n_val: int | None = None) -> tuple[Indices, Indices]:
    """Rows of the training and of the validation split, both in balanced order.

    Validation is the first `n_val` labelled rows of the order, by default a tenth of them (rounded up);
    images without a label all go to training.
    """
    order = balanced_order(labels)
    labelled = np.flatnonzero(labels[order] != UNLABELLED)
    held_out = labelled[: -(-len(labelled) // 10) if n_val is None else n_val]
    return np.delete(order, held_out), order[held_out]
