"""A user's own code by import path (`package.module:Name`), for losses, encoders, data sets and provenance.

Python looks for a module in this order: our packages, the standard library, installed packages, the folder of the
study file, the working directory. The last two stand at the end of `sys.path`, so a file of the user never replaces
a module of ours or of a library. Importing this module costs no torch.
"""

import importlib
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, all_suffixes
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_OUR_PACKAGES = frozenset({"analysis", "search_spaces", "study", "trainables"})

#: The folders of the user, first the one that Python searches first.
_folders: list[str] = []

#: Those of them that `use_own_folders` added to `sys.path`.
_added: list[str] = []


def use_own_folders(study_folder: Path | None = None) -> None:
    """Put the folder of the study file, then the working directory, at the end of `sys.path`.

    The folder of an earlier study leaves `sys.path`.
    """
    for folder in _added:
        if folder in sys.path:
            sys.path.remove(folder)
    folders = [*([str(study_folder)] if study_folder else []), os.getcwd()]
    _folders[:] = dict.fromkeys(folders)
    _added[:] = append_to_path(_folders)


def own_folders() -> tuple[str, ...]:
    """The folders of the user, for `append_to_path` in another process."""
    return tuple(_folders)


def append_to_path(folders: Sequence[str]) -> list[str]:
    """Put folders at the end of `sys.path`, in their order, and return those that were not on it."""
    added = [folder for folder in folders if folder not in sys.path]
    sys.path.extend(added)
    return added


@contextmanager
def spawned_processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of `count` new processes, which search for modules where this process does.

    multiprocessing starts them by `python -c`, which puts the working directory first unless the environment
    forbids it.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
            yield pool
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def import_object(path: str, kind: str) -> Any:
    """What is at `package.module:Name`; `kind` is what the message calls it, such as `loss`.

    Raises `ValueError` in one line for a path that leads nowhere, a module that fails, and a file of the user that
    Python does not reach because another module of its name comes first.
    """
    module, _, name = path.partition(":")
    if hidden := _hidden_file(module):
        raise ValueError(f"{kind}: got {path!r}, {hidden}")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever the user's module raises must end in one line about the path
        raise ValueError(f"{kind}: got {path!r}, which fails to import: {one_line(error)}") from error


def source_of(path: str) -> bytes:
    """The source of the module at `package.module:Name`. Raises `ValueError` when there is no such file."""
    module = path.partition(":")[0]
    spec = _find(module)
    if spec is None or not spec.has_location or spec.origin is None:
        raise ValueError(f"import path: got {path!r}, but there is no module {module!r} on the Python path")
    return Path(spec.origin).read_bytes()


def one_line(error: Exception) -> str:
    """The message of an error in one line, with its class unless it is a `ValueError`."""
    message = " ".join(str(error).split())
    return message if isinstance(error, ValueError) else f"{type(error).__name__}: {message}"


def _hidden_file(module: str) -> str | None:
    """How a module of the user is hidden by another one; None when it is not, or when there is none.

    Only the first part of the name decides: Python looks for the rest in what it finds under it.
    """
    top = module.partition(".")[0]
    for folder in _folders:
        if file := _file_in(Path(folder), module):
            found = _find(top)
            if found is None or Path(folder).resolve() in _homes(found):
                return None
            return f"but Python finds {_described(top, found)} before {file}; rename the file or its folder"
    return None


def _file_in(folder: Path, module: str) -> Path | None:
    """The file of a module under a folder, None when it has none."""
    if not all(module.split(".")):
        return None
    base = folder.joinpath(*module.split("."))
    files = [base / "__init__.py", *(base.with_name(base.name + suffix) for suffix in all_suffixes())]
    return next((file for file in files if file.is_file()), None)


def _find(module: str) -> ModuleSpec | None:
    """Where Python finds a module, None when it does not. It imports the packages that the module lies in."""
    try:
        return find_spec(module)
    except (ImportError, ValueError):  # `ValueError`: an empty name, or a module without a spec
        return None


def _homes(spec: ModuleSpec) -> set[Path]:
    """The folders of the Python path that a top-level module comes from; none for one built into Python."""
    places = spec.submodule_search_locations or ([spec.origin] if spec.has_location and spec.origin else [])
    return {Path(place).resolve().parent for place in places}


def _described(name: str, spec: ModuleSpec) -> str:
    """A top-level module that Python finds, for a message."""
    if name in _OUR_PACKAGES:
        return f"the package {name!r} of this platform"
    if name in sys.stdlib_module_names:
        return f"the module {name!r} of the standard library"
    place = spec.origin or ", ".join(spec.submodule_search_locations or [])
    return f"the installed package {name!r} ({place})"
