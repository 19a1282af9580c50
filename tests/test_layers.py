"""Packages import one another in one direction only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[1]

#: What each package may import of ours.
ALLOWED = {
    "trainables": {"trainables"},
    "search_spaces": {"search_spaces", "trainables"},
    "analysis": {"analysis", "trainables"},
    "study": {"study", "search_spaces", "trainables", "analysis"},
}


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_go_one_way(package: str) -> None:
    for path in (_REPOSITORY / package).rglob("*.py"):
        ours = {name for name in imported_modules(path) if name.split(".")[0] in ALLOWED}
        foreign = {name for name in ours if name.split(".")[0] not in ALLOWED[package]}
        assert not foreign, f"{path.relative_to(_REPOSITORY)} imports {foreign}"


#: What the analysis may import of `trainables`: no torch, and nothing that runs trials.
_FOR_ANALYSIS = {
    "trainables.atomic",
    "trainables.store.attempts",
    "trainables.store.records",
    "trainables.store.schema",
}


def test_analysis_knows_the_record_schema_and_the_reader_alone() -> None:
    for path in (_REPOSITORY / "analysis").rglob("*.py"):
        names = {name for name in imported_modules(path) if name.startswith("trainables")}
        assert names <= _FOR_ANALYSIS, path.name
