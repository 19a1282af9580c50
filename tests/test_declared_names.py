"""No production code compares with the name of a registered design, sampler, kernel or probe: it asks their facts."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from search_spaces.designs import DESIGNS
from search_spaces.designs.optuna import SAMPLERS
from trainables.evaluation.probes import PROBES
from trainables.kernels import KERNELS

_REPOSITORY = Path(__file__).resolve().parents[1]
_PACKAGES = ("analysis", "search_spaces", "study", "trainables")

#: Where names may be compared: the modules that declare the things.
_OWN = ("search_spaces/designs", "trainables/kernels", "trainables/evaluation/probes")

NAMES = {*DESIGNS, *SAMPLERS, *KERNELS, *PROBES}

#: Words that other vocabularies have too, and the variables or keys that hold these.
_OTHER_MEANINGS = {
    "log": {"measure", "psi", "loc"},  # spacing of an axis, outer function of the general form
}

#: Methods of texts that compare with a part of a name, and the shortest part that says which name is meant.
_PARTS = {"startswith", "endswith", "removeprefix", "removesuffix"}
_SHORTEST = 4


def compared_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Lines that compare something with a registered name, or with a part of one, and the name.

    These are `==`, `!=`, `in`, `not in`, `case`, and `startswith` and its like. A key (`result["list"]`) is none.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            held = {name for side in sides for name in _variables(side)}
            for text in (text for side in sides for text in _texts(side)):
                if text in NAMES and not held & _OTHER_MEANINGS.get(text, set()):
                    yield node.lineno, text
        elif isinstance(node, ast.MatchValue):
            yield from ((node.value.lineno, text) for text in _texts(node.value) if text in NAMES)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _PARTS:
            for text in (text for argument in node.args for text in _texts(argument)):
                if len(text) >= _SHORTEST and any(name.startswith(text) for name in NAMES):
                    yield node.lineno, text


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts that stand in an expression, apart from those that are keys or arguments."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for element in node.elts:
            yield from _texts(element)
    elif isinstance(node, ast.Dict):
        for key in node.keys:
            yield from _texts(key) if key else ()


def _variables(node: ast.AST) -> Iterator[str]:
    """The names, attributes and keys that stand in an expression."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.Subscript):
            yield from _texts(part.slice)


def test_nothing_is_compared_with_a_registered_name() -> None:
    found = []
    for path in (path for package in _PACKAGES for path in (_REPOSITORY / package).rglob("*.py")):
        where = path.relative_to(_REPOSITORY).as_posix()
        if not where.startswith(_OWN):
            found += [f"{where}:{line} {name}" for line, name in compared_names(ast.parse(path.read_text()))]
    assert not found


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ('search = plan.design == "optuna"', "optuna"),
        ('if spec.search.design != "grid": pass', "grid"),
        ('if name in (*DRAWN, "sobol"): pass', "sobol"),
        ('weighted = "random" == design', "random"),
        ('if fields["kernel"] not in ("riesz", "gaussian_riesz"): pass', "riesz"),
        ('if kernel in {"imq": 1}: pass', "imq"),
        ('if kernel == "log": pass', "log"),
        ('if metric.startswith("retrieval"): pass', "retrieval"),
        ('match probe:\n    case "knn":\n        pass', "knn"),
    ],
)
def test_a_comparison_is_found(code: str, name: str) -> None:
    assert name in {found for _, found in compared_names(ast.parse(code))}


@pytest.mark.parametrize(
    "code",
    [
        'if axis.measure == "log": pass',
        'if result["list"] is None: pass',
        'word == "none"',
        "design == GRID.name",
    ],
)
def test_what_is_no_such_comparison_is_let_through(code: str) -> None:
    assert not list(compared_names(ast.parse(code)))
