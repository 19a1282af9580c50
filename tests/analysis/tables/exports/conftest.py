"""Exports that tests read, made once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.analysis.tables.exports.making import EXPORTS
from tests.analysis.tables.exports.trials import Outcomes

#: Gives the source of an export by its name in `EXPORTS`.
MakeExport = Callable[..., str]


@pytest.fixture(scope="session")
def make_export(tmp_path_factory: pytest.TempPathFactory) -> MakeExport:
    """Callers change no export; they copy it."""
    made: dict[tuple[str, str], str] = {}
    of_ray: dict[str, Path] = {}  # one program makes all exports of Ray Tune

    def make(name: str, outcomes: Outcomes) -> str:
        ends = repr(dict(outcomes))
        key = name, ends
        if key not in made:
            folder = Path(tmp_path_factory.mktemp(name))
            if name.startswith("ray_"):
                folder = of_ray.setdefault(ends, folder)
            made[key] = EXPORTS[name](folder, outcomes)
        return made[key]

    return make
