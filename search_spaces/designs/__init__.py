"""The registry of designs by name. A design is a way to choose the configurations of each loss.

To add a design, add a file here with its `Design`, a line below, and the design's own keys in `study.spec.schema`.
The contract test (`tests/search_spaces/test_designs.py`) names missing parts. An adaptive design also needs a module
that runs its search, such as `search_spaces.optuna_adapter` for `optuna`.
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
    """The designs that accept a key of `[search]`, for messages."""
    return names_of(lambda design: key in design.keys)


def names_of(having: Callable[[Design], bool]) -> str:
    """The designs with a property, for messages, such as "designs sobol and random"."""
    names = [design.name for design in DESIGNS.values() if having(design)]
    return f"design{'s' * (len(names) > 1)} {' and '.join(names)}"
