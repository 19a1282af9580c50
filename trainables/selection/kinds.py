"""Every method that selects batches by name, with the numbers that it takes: what study files and plans know of it.

This module imports nothing of the platform: the configuration names its methods from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class MethodKind:
    """A method of selection.

    `takes` are the numbers of a round that a study file may set for it, each with its meaning. A method that takes
    some chooses by the current embeddings; the others choose nothing.
    """

    doc: str
    takes: Mapping[str, str] = field(default_factory=dict)


METHOD_KINDS: dict[str, MethodKind] = {
    "full": MethodKind(doc="all pairs at once"),
    "fixed": MethodKind(doc="one partition of the pairs for the whole training"),
    "shuffle": MethodKind(doc="a new partition each epoch"),
    "all_subsets": MethodKind(doc="every batch that there is"),
    "osgd": MethodKind(
        doc="those of highest loss (Ordered SGD)",
        takes={
            "pool": "k, random batches of a round; 1500 by default, or as many as the data holds.",
            "keep": "q, the batches of a round with the highest loss, which are trained; k / 10 by default.",
            "refresh": "Images only: batches trained between two passes of embeddings; q by default.",
        },
    ),
    "spectral": MethodKind(
        doc="clusters of similar pairs",
        takes={
            "pool": "k, batches that are clustered at once; 40 by default, or as many as the data holds.",
            "refresh": "Images only: batches trained between two passes of embeddings; k by default.",
        },
    ),
}

METHODS = tuple(METHOD_KINDS)

#: Methods that choose by the current embeddings.
LOOKING_METHODS = tuple(name for name, kind in METHOD_KINDS.items() if kind.takes)
