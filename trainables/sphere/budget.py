"""Steps of a sphere trial and the pairs that each trains on; no torch, so that planning can ask."""

import dataclasses

from trainables.config import SphereTask
from trainables.selection import rounds


def pairs_a_step(task: SphereTask) -> int:
    """B, or N where every step trains on all pairs."""
    return task.n_pairs if task.selection.method == "full" else task.training.batch_size


def step_count(task: SphereTask) -> int:
    """Optimiser steps of the whole budget, in whole batches; `samples` also pays for pairs embedded to choose.

    Raises `ValueError` for a selection that cannot be made, see `trainables.selection.rounds.resolve_round`.
    """
    training = dataclasses.replace(task.training, batch_size=pairs_a_step(task))
    return rounds.step_count(training, task.selection, task.n_pairs)
