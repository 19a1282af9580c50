"""The fixed class-balanced order of a data set. The validation split and the limits are prefixes of it.

The order depends only on the labels and a constant, never on a trial's seed. Every trial of every study therefore
trains, selects and reports on the same images. The order is computed from raw PCG64 output, which numpy promises to
keep stable. numpy does not promise this for `Generator.permutation`.
"""

import numpy as np

from trainables.datasets.source import UNLABELLED, Indices

#: The constant in all orders. A change of it changes every result.
ORDER_SEED = 20240518


def balanced_order(labels: Indices, salt: int = 0) -> Indices:
    """A fixed shuffle of 0 .. N-1 in which every prefix holds the classes in proportion, to within one image.

    Each class is shuffled separately. The image of rank r among the n of its class gets the position (r + 1/2) / n,
    and ties are broken at random. Orders with different `salt` are different.
    """
    keys = np.random.PCG64([ORDER_SEED, salt]).random_raw(len(labels))
    position = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        rank = np.argsort(np.argsort(keys[members], kind="stable"), kind="stable")
        position[members] = (rank + 0.5) / len(members)
    return np.lexsort((keys, position)).astype(np.int64)


def split_validation(labels: Indices, n_val: int | None = None) -> tuple[Indices, Indices]:
    """Rows of the training split and of the validation split, both in balanced order.

    The validation split is the first `n_val` labelled rows of the order, none for 0; the default is a tenth of them
    (rounded up). All unlabelled images belong to the training split.
    """
    order = balanced_order(labels)
    labelled = np.flatnonzero(labels[order] != UNLABELLED)
    held_out = labelled[: -(-len(labelled) // 10) if n_val is None else n_val]
    return np.delete(order, held_out), order[held_out]
