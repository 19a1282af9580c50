"""The imports and the opened files that the source of one module names, read without running it."""

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: Calls that import a module. A constant name is followed.
_IMPORTERS = {"import_module", "__import__"}

#: Other calls that load code, which is not followed.
_LOADERS = {"exec", "run_module", "run_path", "spec_from_file_location", "SourceFileLoader"}

#: Calls that read a file whose path is their first argument, besides those whose names begin with `read_`.
_OPENERS = {
    "open", "load", "loadtxt", "genfromtxt", "fromfile", "memmap", "loadmat", "imread", "load_file", "load_library",
    "CDLL", "File", "ZipFile", "get_data",
}  # fmt: skip

#: Keywords that give these calls their path.
_PATH_KEYWORDS = {
    "file",
    "filename",
    "fname",
    "path",
    "filepath",
    "filepath_or_buffer",
    "io",
    "source",
    "name",
}

#: Calls that make a path of paths.
_PATH_CALLS = {
    "Path", "PurePath", "join", "joinpath", "resolve", "absolute", "expanduser", "abspath", "realpath", "dirname",
    "fspath", "str", "with_name", "with_suffix",
}  # fmt: skip

#: A mode of `open`. One that only writes does not make a result depend on the file.
_MODE = re.compile(r"[rwaxbtU+]{1,4}")

#: Longest text of a dynamic import in a note.
_TEXT_LENGTH = 60


class SourceError(ValueError):
    """A source that does not parse."""


@dataclass(frozen=True, kw_only=True)
class ModuleImports:
    """What a module's source names, each with its line."""

    modules: tuple[tuple[str, int, bool], ...] = ()  # absolute name, line, and whether it may be no module
    stars: tuple[tuple[str, int], ...] = ()  # modules in `from module import *`
    open_all: bool = False  # whether only a run knows all names in `__all__`
    dynamic: tuple[tuple[str, int], ...] = ()  # expressions that import what only a run knows
    opened: tuple[tuple[str, int], ...] = ()  # constant paths of files
    runs: bool = True  # whether it has a statement besides a docstring


def read_imports(content: bytes, name: str, package: str) -> ModuleImports:
    """Read the source of a module. `package` resolves its relative imports.

    Names in `__all__` count as imports from the module `name`, because `from name import *` imports its submodules of
    these names. Imports for type checkers are left out. Raises `SourceError`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in texts of the user's code
            tree = ast.parse(content)
        nodes = list(_running(tree))
    except SyntaxError as error:
        raise SourceError(f"a syntax error in line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, or too deep nesting
        raise SourceError(f"a syntax error: {' '.join(str(error).split())}") from error
    renamed = {
        alias.asname: alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    paths = _constant_paths(tree, nodes)
    modules: list[tuple[str, int, bool]] = []
    stars, dynamic, opened = [], [], []
    open_all = False
    for node in nodes:
        if isinstance(node, ast.Import):
            modules += [(alias.name, node.lineno, False) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            modules.append((base, node.lineno, False))
            for alias in node.names:
                if alias.name == "*":
                    stars.append((base, node.lineno))
                else:
                    modules.append((f"{base}.{alias.name}", node.lineno, True))
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and _sets_all(node):
            listed = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
            exported = [_constant(item) for item in listed]
            modules += [(f"{name}.{item}", node.lineno, True) for item in exported if item]
            open_all = open_all or None in exported
        elif isinstance(node, ast.Call):
            called = _called(node.func)
            called = renamed.get(called, called)
            constant = _constant(node.args[0]) if node.args else None
            if called in _IMPORTERS and constant and not constant.startswith("."):
                modules.append((constant, node.lineno, False))
            elif called in _IMPORTERS | _LOADERS or _changes_path(node.func):
                dynamic.append((_shown(node), node.lineno))
            elif path := _opened_path(node, called, paths):
                opened.append((path, node.lineno))
            elif isinstance(node.func, ast.Attribute) and _called(node.func.value) == "__all__":
                open_all = True
    return ModuleImports(
        modules=tuple(modules),
        stars=tuple(stars),
        dynamic=tuple(dynamic),
        opened=tuple(opened),
        open_all=open_all,
        runs=any(not _is_text(statement) for statement in tree.body),
    )


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes in the order of the source, without blocks `if TYPE_CHECKING:`, which never run."""
    yield node
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, ast.If) and _called(node.test) == "TYPE_CHECKING":
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.AST):
                yield from _running(item)


def _base(node: ast.ImportFrom, package: str) -> str:
    """The absolute name of the module in `from module import ...`."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def _sets_all(node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)


def _called(node: ast.AST) -> str:
    """The last part of a name such as `importlib.import_module`."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _constant(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and _constant(node.value) is not None


def _changes_path(function: ast.expr) -> bool:
    """Whether a call is one such as `sys.path.append`."""
    if not isinstance(function, ast.Attribute) or not isinstance(owner := function.value, ast.Attribute):
        return False
    return owner.attr == "path" and isinstance(owner.value, ast.Name) and owner.value.id == "sys"


def _constant_paths(tree: ast.Module, nodes: list[ast.AST]) -> dict[str, str]:
    """The constant parts of the paths among the names that the module assigns once, at its top level."""
    assigned = Counter(
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    parameters = {node.arg for node in nodes if isinstance(node, ast.arg)}
    paths: dict[str, str] = {}
    for statement in tree.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if len(targets) == 1 and isinstance(target := targets[0], ast.Name):
            once = assigned[target.id] == 1 and target.id not in parameters
            if once and _is_path(statement.value, paths):
                paths[target.id] = _constant_parts(statement.value, paths)
    return paths


def _is_path(node: ast.expr, paths: Mapping[str, str]) -> bool:
    """Whether an expression is a constant text, or a path made of such texts and of `__file__`."""
    if isinstance(node, ast.Name):
        return node.id == "__file__" or node.id in paths
    if isinstance(node, ast.BinOp):
        return _is_path(node.left, paths) and _is_path(node.right, paths)
    if isinstance(node, ast.Attribute | ast.Subscript):
        return _is_path(node.value, paths)
    if isinstance(node, ast.Call):
        on_path = isinstance(node.func, ast.Attribute) and _is_path(node.func.value, paths)
        known = _called(node.func) in _PATH_CALLS and (on_path or bool(node.args))
        return known and all(_is_path(each, paths) for each in node.args)
    return _constant(node) is not None


def _opened_path(call: ast.Call, name: str, paths: Mapping[str, str]) -> str | None:
    """The constant path of the file that a call reads, or its constant parts; None for all other calls."""
    if name not in _OPENERS and not name.startswith("read_"):
        return None
    mode = _constant(call.args[1]) if len(call.args) > 1 else None
    mode = next((_constant(word.value) for word in call.keywords if word.arg == "mode"), mode)
    if mode and _MODE.fullmatch(mode) and not set(mode) & set("r+"):
        return None
    places = [call.func.value] if isinstance(call.func, ast.Attribute) else []  # `Path("x.csv").read_text()`
    named = [word.value for word in call.keywords if word.arg in _PATH_KEYWORDS]
    for place in [*places, *(call.args[:1] or named[:1])]:
        if (path := _constant_parts(place, paths)) and not _MODE.fullmatch(path):
            return path
    return None


def _constant_parts(node: ast.expr, paths: Mapping[str, str]) -> str:
    """The texts in the expression of a path, joined by slashes. Texts in formats and subscripts are no parts.

    `paths` has the texts of names.
    """
    texts: list[str] = []
    left: list[ast.AST] = [node]
    while left:
        part = left.pop()
        if isinstance(part, ast.expr) and (text := _constant(part)):
            texts.append(text)
        elif isinstance(part, ast.Name):
            texts += [paths[part.id]] if paths.get(part.id) else []
        elif not isinstance(part, ast.JoinedStr | ast.Subscript):
            left += reversed(list(ast.iter_child_nodes(part)))
    return "/".join(texts)


def _shown(node: ast.expr) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _TEXT_LENGTH else text[: _TEXT_LENGTH - 3] + "..."
