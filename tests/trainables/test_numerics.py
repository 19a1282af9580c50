"""The numbers of one tiny trial a loss, tied to the numerics version.

A change that moves them is a change of every result: it raises `NUMERICS_VERSION` and regenerates this file with
`uv run python -m tests.golden.regenerate`. The tolerance allows for other processors, not for other arithmetic.
"""

import json

import pytest

from tests.golden.contents import NUMERICS_GOLDEN, measured
from trainables.config import NUMERICS_VERSION
from trainables.losses import LOSSES


@pytest.mark.parametrize("loss", LOSSES)
def test_numbers_are_those_of_this_version(loss: str) -> None:
    golden = json.loads(NUMERICS_GOLDEN.read_text())
    assert golden["numerics_version"] == NUMERICS_VERSION
    assert measured(loss) == pytest.approx(golden[loss], rel=2e-3)
