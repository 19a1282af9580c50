"""The pretended device as a fixture."""

from collections.abc import Iterator

import pytest

from tests.trainables.device.device_state import Device
from tests.trainables.device.fake_cuda import pretended_cuda


@pytest.fixture
def cuda() -> Iterator[Device]:
    """This process has one pretended CUDA device."""
    with pretended_cuda() as device:
        yield device
