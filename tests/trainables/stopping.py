"""Rules of early stopping, and trials whose score is the same at every rung."""

from pathlib import Path
from typing import Any

from trainables.early_stopping import EarlyStopping, Rungs


def rule(configuration: str = "a", store: Path | str = "", **changes: Any) -> EarlyStopping:
    told = {"eta": 2, "min_resource": 1, "search": "tiny: ntxent (0)", "folder": "studies/tiny/rungs/0"}
    return EarlyStopping(**(told | changes), configuration=configuration, store=str(store))


def rungs(store: Path | str, configuration: str, score: float, seed: int = 0, **changes: Any) -> Rungs:
    """A trial whose model is nothing and has one score everywhere; rung k lies after step k."""
    steps = {1: 1, 2: 2, 4: 4}
    own = rule(configuration, store, **changes)
    return Rungs(rule=own, seed=seed, steps=steps, measure=lambda model: score)
