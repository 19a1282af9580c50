"""The designs by name: how a study chooses the configurations of each loss.

To add one: a file here with its `Design`, a line below, and the keys of its own in `study.spec.schema`. The contract
test (`tests/search_spaces/test_designs.py`) names what is missing. An adaptive design also needs who runs its
search, as `search_spaces.optuna_adapter` does for `optuna`.
"""

from collections.abc import Callable

from search_spaces.designs.design import Design
from search_spaces.designs.grid import GRID
from search_spaces.designs.list import LIST
from search_spaces.designs.optuna import OPTUNA
from search_spaces.designs.random import RANDOM
from search_spaces.designs.sobol import SOBOL

DESIGNS: dict[str, Design] = {design.name: design for design in (GRID, LIST, SOBOL, RANDOM, OPTUNA)}


def takers_of(key: str) -> str:
    """The designs that take a key of `[search]`, for messages."""
    return names_of(lambda design: key in design.keys)


def names_of(having: Callable[[Design], bool]) -> str:
    """The designs that have a property, for messages: "designs sobol and random"."""
    names = [design.name for design in DESIGNS.values() if having(design)]
    return f"design{'s' * (len(names) > 1)} {' and '.join(names)}"
