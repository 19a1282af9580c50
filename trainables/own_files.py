"""The files of the user's own code that an import path loads: its module and every own module that it imports.

The imports are read from the source, and the import system finds the modules; no module runs. Own code is every
module outside the standard library, the packages of this platform and the folders of installed packages, so an
editable install is own code. This module imports no torch.
"""

import functools
import hashlib
import importlib
import os
import pkgutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import SOURCE_SUFFIXES, ModuleSpec
from pathlib import Path

from trainables.own_imports import ModuleImports, SourceError, read_imports

OUR_PACKAGES = frozenset({"analysis", "search_spaces", "study", "trainables"})

#: Names of folders on the Python path that contain installed packages.
_INSTALLED = ("site-packages", "dist-packages")


def is_import_path(name: str) -> bool:
    """Whether a loss or an encoder is the user's own, given as `my_package.my_module:Name`."""
    return ":" in name


@dataclass(frozen=True, kw_only=True)
class OwnCode:
    """The code behind one or more import paths. Names of files are relative to their folder on the Python path."""

    source: bytes  # what identifies the code; it does not depend on the place of the files
    files: tuple[str, ...]  # the file of the import path, then the others by name
    not_followed: tuple[str, ...]  # imports in these files that only a run could resolve, each with its place
    opened: tuple[str, ...]  # data files that these files open by a constant path, each with its place


@dataclass(frozen=True, kw_only=True)
class _Walk:
    code: OwnCode
    stamps: dict[Path, tuple[int, ...]]  # of the files as they were read


#: The walks of this process, by module and Python path.
_walks: dict[tuple[str, tuple[str, ...]], _Walk] = {}


def forget_files() -> None:
    """Make the next call of `own_code_of` search for all modules again."""
    _walks.clear()


def own_code_of(path: str) -> OwnCode:
    """The code behind `package.module:Name`.

    The result is cached in this process until one of its files changes or `forget_files` is called. Raises
    `ValueError` in one line if there is no such module, and for a file that cannot be read or has a syntax error.
    """
    return _cached_walk(path).code


def walked_files(path: str) -> frozenset[Path]:
    """All files that `own_code_of` reads for an import path. Files without any statement that runs are included."""
    return frozenset(_cached_walk(path).stamps)


def _cached_walk(path: str) -> _Walk:
    module = path.partition(":")[0]
    key = module, tuple(sys.path)
    walk = _walks.get(key)
    if walk is None or any(_stamp(file) != stamp for file, stamp in walk.stamps.items()):
        walk = _walks[key] = _walk(path, module)
    return walk


def joined_code(paths: Iterable[str]) -> OwnCode:
    """The code behind several import paths, each file once. `source` is that of the paths in their order."""
    codes = [own_code_of(path) for path in paths]
    return OwnCode(
        source=b"\0".join(code.source for code in codes),
        files=tuple(dict.fromkeys(name for code in codes for name in code.files)),
        not_followed=tuple(dict.fromkeys(note for code in codes for note in code.not_followed)),
        opened=tuple(dict.fromkeys(note for code in codes for note in code.opened)),
    )


@dataclass(frozen=True, kw_only=True)
class _File:
    module: str
    name: str  # relative to the folder on the Python path, with slashes
    content: bytes
    imports: ModuleImports  # empty for a file that is not Python source


def _walk(path: str, module: str) -> _Walk:
    importlib.invalidate_caches()
    specs: dict[str, ModuleSpec | None] = {}
    stamps: dict[Path, tuple[int, ...]] = {}
    files: dict[str, _File] = {}
    missing: list[str] = []
    named = _spec_of(module, specs)
    if named is None or not named.has_location or named.origin is None:
        raise ValueError(f"import path: got {path!r}, but there is no module {module!r} on the Python path")
    seen, left = set(), [module]
    while left:
        name = left.pop()
        spec = None if name in seen else _spec_of(name, specs)
        seen.add(name)
        if spec is None:
            continue
        left += [name.rpartition(".")[0]] if "." in name else []
        own = is_own(spec)
        if own or name == module:
            assert spec.origin is not None
            stamps[Path(spec.origin)] = _stamp(Path(spec.origin))
            files[name] = _read(path, spec, follows=own)
            left += _followed(files[name], specs, missing)
    return _Walk(code=_code(module, files, missing), stamps=stamps)


def _code(module: str, files: dict[str, _File], missing: list[str]) -> OwnCode:
    """A module that runs nothing, such as an empty `__init__.py`, changes no result and does not count."""
    others = [file for name, file in sorted(files.items()) if name != module and file.imports.runs]
    counted = [files[module], *others]
    digests = [f"{file.module} {hashlib.blake2b(file.content).hexdigest()}".encode() for file in others]
    dynamic = [_note(text, file, line) for file in counted for text, line in file.imports.dynamic]
    stars = [
        _note(f"from {star} import *", file, line)
        for file in counted
        for star, line in file.imports.stars
        if star in files and files[star].imports.open_all
    ]
    opened = [_note(text, file, line) for file in counted for text, line in file.imports.opened]
    return OwnCode(
        source=b"\0".join([files[module].content, *digests]),
        files=tuple(file.name for file in counted),
        not_followed=(*dynamic, *stars, *missing),
        opened=tuple(opened),
    )


def _note(text: str, file: _File, line: int) -> str:
    return f"{text} ({file.name}, line {line})"


def _followed(file: _File, specs: dict[str, ModuleSpec | None], missing: list[str]) -> Iterator[str]:
    """The modules that a file imports and that may be own code. Adds those that are not found to `missing`."""
    for name, line, optional in file.imports.modules:
        top = _spec_of(name.partition(".")[0], specs)
        if top is not None and not (is_own(top) or top.origin is None):  # `None`: a namespace package
            continue
        if _spec_of(name, specs) is not None:
            yield name
        elif not optional:
            missing.append(_note(f"import {name}, which is not found", file, line))


def _read(path: str, spec: ModuleSpec, *, follows: bool) -> _File:
    """Read a module, and its imports if it is Python source and `follows`."""
    assert spec.origin is not None
    package = spec.submodule_search_locations is not None
    *folders, last = spec.name.split(".")
    name = "/".join([*folders, *([last] if package else []), Path(spec.origin).name])
    try:
        content = Path(spec.origin).read_bytes()
    except OSError as error:
        raise ValueError(
            f"import path: got {path!r}, but {name} cannot be read: {error.strerror or error}"
        ) from error
    imports = ModuleImports()
    if follows and spec.origin.endswith(tuple(SOURCE_SUFFIXES)):
        try:
            imports = read_imports(content, spec.name, spec.name if package else spec.name.rpartition(".")[0])
        except SourceError as error:
            raise ValueError(f"import path: got {path!r}, but {name} has {error}") from error
    return _File(module=spec.name, name=name, content=content, imports=imports)


def _spec_of(name: str, specs: dict[str, ModuleSpec | None]) -> ModuleSpec | None:
    """The spec of a module; None if it is not found. Unlike `importlib.util.find_spec`, it imports no package."""
    if name not in specs:
        parent = name.rpartition(".")[0]
        if not parent:
            specs[name] = _find_by_finders(name, None)
        else:
            package = _spec_of(parent, specs)
            places = package.submodule_search_locations if package else None
            specs[name] = None if places is None else _find_in_package(name, list(places))
    return specs[name]


def _find_by_finders(name: str, places: list[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, places)
        except (AttributeError, ImportError, KeyError, ValueError):  # an old finder, or an empty name
            continue
        if spec is not None:
            return spec
    return None


def _find_in_package(name: str, places: list[str]) -> ModuleSpec | None:
    """Search the folders of a package. The path finder of Python would need the package to be imported."""
    portions: list[str] = []
    for place in places:
        finder = pkgutil.get_importer(place)
        spec = finder.find_spec(name) if finder else None
        if spec is None:
            continue
        if spec.loader is not None:
            return spec
        portions += spec.submodule_search_locations or []
    if not portions:
        return _find_by_finders(name, places)
    namespace = ModuleSpec(name, None, is_package=True)
    namespace.submodule_search_locations = portions
    return namespace


def is_own(spec: ModuleSpec) -> bool:
    """Whether a module is own code."""
    if not spec.has_location or spec.origin is None or spec.name.partition(".")[0] in OUR_PACKAGES:
        return False
    return not any(Path(spec.origin).is_relative_to(folder) for folder in _foreign_folders(tuple(sys.path)))


@functools.lru_cache(maxsize=4)
def _foreign_folders(python_path: tuple[str, ...]) -> frozenset[str]:
    """The folders of the standard library and of installed packages."""
    known = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    installed = [folder for folder in python_path if Path(folder).name in _INSTALLED]
    return frozenset([os.path.dirname(os.__file__), *known, *installed])


def _stamp(path: Path) -> tuple[int, ...]:
    """Changes when a file is edited or replaced; empty if there is no such file."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino
