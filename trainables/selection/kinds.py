"""The methods of batch selection by name, with the numbers that each accepts, for study files and plans.

This module imports no other module of the platform, since the configuration takes the names of the methods from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class MethodKind:
    """A method of batch selection.

    `looks` says whether it chooses batches by the current embeddings, which costs forward passes. `takes` are the
    numbers of a round that a study file may set for it, each with its meaning.
    """

    doc: str
    looks: bool = False
    takes: Mapping[str, str] = field(default_factory=dict)


METHOD_KINDS: dict[str, MethodKind] = {
    "full": MethodKind(doc="all pairs at once"),
    "fixed": MethodKind(doc="one partition of the pairs for the whole training"),
    "shuffle": MethodKind(doc="a new partition each epoch"),
    "all_subsets": MethodKind(doc="every possible batch"),
    "osgd": MethodKind(
        doc="the batches with the highest loss (Ordered SGD)",
        looks=True,
        takes={
            "pool": "k, random batches of a round; 1500 by default, or as many as the data has.",
            "keep": "q, the number of batches of a round that are trained, highest loss first; k / 10 by default.",
            "refresh": "Task `images` only: batches trained between two passes of embeddings; q by default.",
        },
    ),
    "spectral": MethodKind(
        doc="clusters of similar pairs",
        looks=True,
        takes={
            "pool": "k, batches that are clustered at once; 40 by default, or as many as the data has.",
            "refresh": "Task `images` only: batches trained between two passes of embeddings; k by default.",
        },
    ),
}

METHODS = tuple(METHOD_KINDS)

#: The methods that choose batches by the current embeddings.
LOOKING_METHODS = tuple(name for name, kind in METHOD_KINDS.items() if kind.looks)
