"""The tests for a GPU pass on the pretended device, so that a real one does not meet faults of the tests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_the_gpu_tests_run_on_a_bare_machine() -> None:
    """They are collected and run without Ray, Optuna and an installed package."""
    plugin = ["-p", "tests.trainables.device.bare_machine", "-p", "no:cacheprovider"]
    words = [sys.executable, "-m", "pytest", *plugin, "-q", "-n", "0", "-m", "gpu", "tests/trainables"]
    told = subprocess.run(words, cwd=_REPOSITORY, capture_output=True, text=True, timeout=280)
    assert told.returncode == 0, told.stdout[-3000:]
    passed = re.search(r"(\d+) passed", told.stdout)
    assert passed is not None
    assert int(passed[1]) >= 25, told.stdout[-300:]
