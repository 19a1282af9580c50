"""A small study that runs in seconds, and its variations."""

from collections.abc import Callable
from pathlib import Path

import pytest

TINY = """
name = "tiny"
task = "images"
seeds = [0, 1]
metric = "probe10_accuracy"

[data]
name = "digits"
train_limit = 200
test_limit = 60

[encoder]
name = "small_conv"
width = 4
projection_dim = 8

[training]
steps = 3

[probe]
suite = ["probe10"]
draws = 2

[axes]
batch_size = [8, 16]

[losses.ntxent]
temperature = [0.1, 0.5]
[losses.kcl]
t = [2.0]
"""

WriteStudy = Callable[..., Path]


@pytest.fixture
def write_study(tmp_path: Path) -> WriteStudy:
    """Writes the tiny study, with pieces of its text replaced, and returns its path."""

    def write(*replacements: tuple[str, str], name: str = "tiny.toml") -> Path:
        text = TINY
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text)
        return path

    return write
