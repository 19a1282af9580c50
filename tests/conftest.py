"""Fixtures that several packages share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m gpu`, import only modules with such tests: a machine with a GPU may lack packages of the others."""
    if config.getoption("markexpr") == "gpu" and collection_path.match("test_*.py"):
        return "mark.gpu" not in collection_path.read_text() or None
    return None


@pytest.fixture(scope="session", autouse=True)
def cache_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Decoded images go to a directory of the tests' own, also those of processes that tests start."""
    root = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDY_CACHE_ROOT", str(root))
        yield root


@pytest.fixture(scope="session")
def cifar10_root() -> Path:
    """A data root that holds `cifar10_jpeg`: STUDY_DATA_ROOT, or `shared/data` beside the repository.

    Without it the test is skipped, but fails where CI is set: there the real images must have been tried.
    """
    given = os.environ.get("STUDY_DATA_ROOT")
    root = Path(given) if given else _REPOSITORY.parent / "shared" / "data"
    if (root / "cifar10_jpeg" / "train.parquet").is_file():
        return root
    message = f"no cifar10_jpeg under {root}; say where it lies by STUDY_DATA_ROOT"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
