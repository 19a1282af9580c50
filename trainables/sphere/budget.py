"""The number of steps of a sphere trial and of pairs per step. Imports no torch, since planning uses it."""

import dataclasses

from trainables.config import SphereTask
from trainables.selection import rounds


def pairs_a_step(task: SphereTask) -> int:
    """The pairs in each step: B, or N if every step trains on all pairs."""
    return task.n_pairs if task.selection.method == "full" else task.training.batch_size


def step_count(task: SphereTask) -> int:
    """Optimiser steps of the whole budget. A budget in `samples` includes the pairs embedded for the selection.

    Raises `ValueError` for an invalid selection, see `trainables.selection.rounds.resolve_round`.
    """
    training = dataclasses.replace(task.training, batch_size=pairs_a_step(task))
    return rounds.step_count(training, task.selection, task.n_pairs)
