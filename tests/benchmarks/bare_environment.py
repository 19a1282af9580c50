"""A throw-away environment with the packages of a machine with a GPU and torch: no Ray, no Optuna, not this package.

The packages are links to those of the running environment, so it is made in a fraction of a second.
"""

import sys
import venv
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

#: What `tests.benchmarks.bench_gpu` needs; the packages that these need come with them.
_PACKAGES = (
    "torch", "torchvision", "numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "pillow", "threadpoolctl",
    "rich", "pydantic", "tomlkit", "pytest", "pytest-timeout", "pytest-xdist",
)  # fmt: skip


def make_bare_environment(folder: Path) -> Path:
    """Create the environment in `folder`, and return its Python."""
    venv.create(folder, symlinks=True)
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    for name in _with_needs(_PACKAGES):
        installed = distribution(name)
        for part in {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}:
            if not (site / part).exists():  # packages may share a folder
                (site / part).symlink_to(Path(str(installed.locate_file(part))))
    return folder / "bin" / "python"


def _with_needs(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for line in distribution(name).requires or ():
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                waiting.append(need.name)
    return found
