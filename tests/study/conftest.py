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


def study_writer(folder: Path, text: str, default: str) -> WriteStudy:
    """A function that writes a study to `folder`, with pieces of its text replaced, and returns its path."""

    def write(*replacements: tuple[str, str], name: str = default) -> Path:
        changed = text
        for old, new in replacements:
            assert old in changed, old
            changed = changed.replace(old, new)
        path = folder / name
        path.write_text(changed)
        return path

    return write


@pytest.fixture
def write_study(tmp_path: Path) -> WriteStudy:
    """Writes the tiny study."""
    return study_writer(tmp_path, TINY, "tiny.toml")
