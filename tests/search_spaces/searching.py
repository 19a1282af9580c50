"""A search in a small space, and the course that it takes under a known score."""

from pathlib import Path
from typing import Any

from search_spaces.axes import Range, listed
from search_spaces.optuna_adapter import (
    Outcome,
    SamplerConfig,
    Search,
)
from search_spaces.space import Point, Space, Tied

SPACE: Space = {
    "batch_size": Range(log=(8, 256), whole=True),
    "lr": listed(0.1),
    "kernel": listed("gaussian", "imq"),
    "t": Tied(on="kernel", cases={"gaussian": Range(log=(0.25, 16)), "imq": Range(log=(1.0, 4.0), points=3)}),
}


def search(journal: Path, space: Space = SPACE, *, seed: int = 0, startup: int = 4, **keys: Any) -> Search:
    sampler = SamplerConfig(name=keys.pop("sampler", "tpe"), seed=seed, startup=startup)
    return Search(journal, "loss", space=space, sampler=sampler)


def score(point: Point) -> Outcome:
    """Best at small batches and scales near 2."""
    return 1.0 - abs(float(point["t"]) - 2.0) / 20 - float(point["batch_size"]) / 1000


def course(one: Search, rounds: int, batch: int = 1) -> list[Point]:
    points = []
    for _ in range(rounds):
        points += [one.ask() for _ in range(batch)]
        one.tell(score)
    return points
