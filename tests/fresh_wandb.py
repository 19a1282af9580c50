"""Weights & Biases without what earlier tests of the same process have set."""

from typing import Any

import pytest


def fresh_wandb() -> Any:
    """The module `wandb`, which reads the environment again. Skips the test if it is not installed."""
    wandb = pytest.importorskip("wandb", reason="the extra 'tracking-wandb' is not installed")
    wandb.teardown()
    return wandb
