"""Design `optuna`: an adaptive search. Optuna's samplers choose its configurations from the scores so far.

This module declares the samplers that study files may name. It does not import Optuna;
`search_spaces.optuna_adapter` runs the search.
"""

from dataclasses import dataclass

from search_spaces.designs.design import Design
from search_spaces.space import end_points


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """The properties of one of Optuna's samplers that the checks of study files need."""

    meaning: str
    learns: bool = True  # whether it learns from scores, after `startup` random configurations
    takes_stopped: bool = True  # whether it accepts configurations that early stopping ended


#: Every sampler by the name that study files use.
SAMPLERS = {
    "tpe": Sampler(meaning="tree-structured Parzen estimator"),
    "gp": Sampler(meaning="Gaussian process", takes_stopped=False),
    "random": Sampler(meaning="independent points", learns=False),
}


def check_sampler(name: str, *, startup: bool, early_stopping: bool) -> None:
    """Raises `ValueError` if a study file gives a key that its sampler does not use."""
    if startup and not SAMPLERS[name].learns:
        others = " and ".join(other for other, facts in SAMPLERS.items() if facts.learns)
        raise ValueError(f"startup is for samplers {others}, and sampler is {name}")
    if early_stopping and not SAMPLERS[name].takes_stopped:
        others = " and ".join(other for other, facts in SAMPLERS.items() if facts.takes_stopped)
        raise ValueError(
            f"early_stopping is for samplers {others}; {name} learns nothing from stopped configurations"
        )


OPTUNA = Design(
    name="optuna",
    meaning="an adaptive search for the best scores",
    points=lambda space, _request: end_points(space),
    keys=("trials", "sampler", "sampler_seed", "startup", "batch", "early_stopping"),
    budget="trials",
    drawn=True,
    adaptive=True,
)
