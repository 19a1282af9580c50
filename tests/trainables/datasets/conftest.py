"""A cache directory of its own for every test."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where decoded images go."""
    root = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("STUDY_CACHE_ROOT", str(root))
    return root
