"""A pytest plugin: tests marked `gpu` run on the pretended device, as on a machine without Ray and Optuna.

The package is not installed there. Tests whose kernels only a real GPU can run are skipped.
"""

import sys
from collections.abc import Generator
from importlib import metadata
from importlib.machinery import ModuleSpec
from unittest import mock

import pytest

from tests.trainables.device.fake_cuda import pretended_cuda

_ABSENT = ("ray", "optuna")

_version = metadata.version


class _Absent:
    """An import hook."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] in _ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def _version_of(name: str) -> str:
    if name == "contrastive-robustness":
        raise metadata.PackageNotFoundError(name)
    return _version(name)


def pytest_configure() -> None:
    """Tests ask for a GPU when they are imported."""
    sys.meta_path.insert(0, _Absent())  # type: ignore[arg-type]
    mock.patch("importlib.metadata.version", _version_of).start()
    mock.patch("torch.cuda.is_available", return_value=True).start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Run a test on the pretended device."""
    with pretended_cuda():
        try:
            return (yield)
        except AssertionError as error:
            if "libcuda.so" in str(error):  # Triton looks for the driver
                pytest.skip("needs a real GPU")
            raise
