"""Texts reach a terminal through few functions, which make them neutral: no other module prints."""

import ast
from collections.abc import Iterator
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[1]

#: The modules that may print; each makes its texts neutral, as `analysis.names.visible` does.
_PRINTING = {
    "study/cli/ending.py": {"echo"},
    "study/console.py": {"print", "Text", "lastResort"},
    "trainables/datasets/progress.py": {"print", "Console"},
    "search_spaces/rates.py": {"print"},  # a script of this repository, with numbers alone
}

#: Functions and classes whose texts go to a terminal as they are; `LiteralConsole` and `literal` are neutral.
_CALLS = {"print", "pprint", "Console", "Text", "StreamHandler", "basicConfig"}
_ATTRIBUTES = {"echo", "secho", "lastResort", "print_exc", "print_exception", "from_markup", "from_ansi"}


def exits(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
                yield name
            case ast.Call(func=ast.Attribute(attr="write" | "writelines", value=target)):
                if ast.unparse(target).startswith(("sys.stdout", "sys.stderr")):
                    yield ast.unparse(target)
            case ast.Attribute(attr=name) if name in _ATTRIBUTES:
                yield name


def test_no_further_module_prints() -> None:
    packages = ("analysis", "search_spaces", "study", "trainables")
    paths = [path for package in packages for path in sorted((_REPOSITORY / package).rglob("*.py"))]
    found = {path.relative_to(_REPOSITORY).as_posix(): set(exits(path)) for path in paths}
    assert {path: names for path, names in found.items() if names} == _PRINTING
