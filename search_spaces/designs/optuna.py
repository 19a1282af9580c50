"""Design `optuna`: an adaptive search, whose configurations Optuna's samplers choose by the scores so far.

What study files may say of the samplers stands here, and imports no Optuna; `search_spaces.optuna_adapter` runs the
search.
"""

from dataclasses import dataclass

from search_spaces.designs.design import Design
from search_spaces.space import end_points


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """What a study file must know of a sampler of Optuna's."""

    meaning: str
    learns: bool = True  # from scores, after `startup` random configurations
    takes_stopped: bool = True  # accepts configurations that early stopping ended


#: Every sampler by the name that study files use.
SAMPLERS = {
    "tpe": Sampler(meaning="tree-structured Parzen estimator"),
    "gp": Sampler(meaning="Gaussian process", takes_stopped=False),
    "random": Sampler(meaning="independent points", learns=False),
}


def check_sampler(name: str, *, startup: bool, early_stopping: bool) -> None:
    """Raises `ValueError` where a study file gives a sampler a key that it has no use for."""
    if startup and not SAMPLERS[name].learns:
        others = " and ".join(other for other, facts in SAMPLERS.items() if facts.learns)
        raise ValueError(f"startup is for samplers {others}, and sampler is {name}")
    if early_stopping and not SAMPLERS[name].takes_stopped:
        others = " and ".join(other for other, facts in SAMPLERS.items() if facts.takes_stopped)
        raise ValueError(
            f"early_stopping is for samplers {others}; {name} learns nothing from what was stopped"
        )


OPTUNA = Design(
    name="optuna",
    meaning="a search that goes where scores are best",
    points=lambda space, _request: end_points(space),
    keys=("trials", "sampler", "sampler_seed", "startup", "batch", "early_stopping"),
    budget="trials",
    drawn=True,
    adaptive=True,
)
