"""Imports go one way: between packages, between the folders of `study`, and in no circle."""

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

#: What the analysis may import of `trainables`: no torch, and nothing that runs trials.
_FOR_ANALYSIS = {
    "trainables.archives",
    "trainables.atomic",
    "trainables.machine_faults",
    "trainables.reading",
    "trainables.suggestion",
    "trainables.store.attempts",
    "trainables.store.records",
    "trainables.store.schema",
}

#: Folders and files of `study`, from the study file to the command line. Each imports only what stands before it.
LAYERS = (
    "errors", "console", "spec", "searches", "plan", "own_code", "loaded", "archive", "events", "cost",
    "kept_files", "tracking", "launch", "report", "bench", "watching", "cli",
)  # fmt: skip

#: Every module of ours by its name.
_MODULES = {
    ".".join(path.relative_to(_REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ALLOWED
    for path in (_REPOSITORY / package).rglob("*.py")
}


def imported_modules(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, within functions too; imports for type checkers are left out."""
    tree = ast.parse(path.read_text())
    typing = [node for node in ast.walk(tree) if isinstance(node, ast.If) and _is_type_checking(node.test)]
    ignored = {id(inner) for node in typing for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in ignored:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in _MODULES else node.module for name in inner)


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _modules_of(package: str) -> list[Path]:
    paths = [path for name, path in _MODULES.items() if name.split(".")[0] == package]
    assert paths, f"there is no package {package}"
    return paths


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_go_one_way(package: str) -> None:
    for path in _modules_of(package):
        ours = {name for name in imported_modules(path) if name.split(".")[0] in ALLOWED}
        foreign = {name for name in ours if name.split(".")[0] not in ALLOWED[package]}
        assert not foreign, f"{path.relative_to(_REPOSITORY)} imports {foreign}"


def test_analysis_knows_the_record_schema_and_the_reader_alone() -> None:
    for path in _modules_of("analysis"):
        names = {name for name in imported_modules(path) if name.startswith("trainables")}
        assert names <= _FOR_ANALYSIS, path.name


def _layer(module: str) -> int:
    return LAYERS.index(module.split(".")[1])


def test_every_folder_of_study_has_its_layer() -> None:
    found = {name.split(".")[1] for name in _MODULES if name.startswith("study.")}
    assert found == set(LAYERS)


def test_nothing_in_study_imports_upward() -> None:
    upward = [
        f"{name} imports {other}"
        for name, path in _MODULES.items()
        if name.startswith("study.")
        for other in set(imported_modules(path))
        if other.startswith("study.") and _layer(other) > _layer(name)
    ]
    assert upward == []


def test_no_modules_import_one_another_in_a_circle() -> None:
    """Imports within functions count: they hide a circle and do not open it."""
    left = {name: set(imported_modules(path)) & (set(_MODULES) - {name}) for name, path in _MODULES.items()}
    while free := [name for name, others in left.items() if not others & set(left)]:
        for name in free:
            del left[name]
    assert sorted(left) == []
