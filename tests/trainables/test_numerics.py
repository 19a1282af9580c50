"""The numbers of one tiny trial a loss, tied to the numerics version.

A change that moves them is a change of every result: it raises `NUMERICS_VERSION` and regenerates this file with
`uv run python -m tests.golden.regenerate`. The tolerance allows for other processors, not for other arithmetic.
"""

import json
from pathlib import Path

import pytest

from tests.trainables.tiny_trial import tiny
from trainables.config import NUMERICS_VERSION
from trainables.losses import LOSSES
from trainables.trial import run_trial

GOLDEN = Path(__file__).parent.parent / "golden" / "numerics.json"
_COLUMNS = ("train_loss_first", "train_loss_last", "z_alignment", "z_uniformity", "h_effective_rank")


def measured(loss: str) -> dict[str, float]:
    record = run_trial(tiny(loss))
    return {name: getattr(record, name) for name in _COLUMNS}


def all_numbers() -> dict[str, object]:
    return {"numerics_version": NUMERICS_VERSION, **{loss: measured(loss) for loss in LOSSES}}


@pytest.mark.parametrize("loss", LOSSES)
def test_numbers_are_those_of_this_version(loss: str) -> None:
    golden = json.loads(GOLDEN.read_text())
    assert golden["numerics_version"] == NUMERICS_VERSION
    assert measured(loss) == pytest.approx(golden[loss], rel=2e-3)
