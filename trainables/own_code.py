"""Imports the user's own code by import path (`package.module:Name`), for losses, encoders and data sets.

Python looks for a module in this order: the packages of this platform, the standard library, installed packages, the
folder of the study file, the working directory. The last two are at the end of `sys.path`, so a file of the user
never replaces a module of the platform or of a library. They are on it only after a study file is read.

Code that lies in a bundle, or that a study file in a bundle names, is a stranger's. It is imported only with
`--trust-code`. This module imports no torch.
"""

import importlib
import multiprocessing
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, all_suffixes
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from trainables.bundle_folder import bundle_around
from trainables.own_files import OUR_PACKAGES, forget_files
from trainables.own_runs import SettingError, own_code_runs

#: The user's folders, in the order in which Python searches them.
_folders: list[str] = []

#: The user's folders that `use_own_folders` has added to `sys.path`.
_added: list[str] = []


@dataclass(kw_only=True)
class _Trust:
    """Whose code this process may import."""

    strangers: bool = False  # whether the user trusts the code of bundles, by `--trust-code`
    reading: Path | None = None  # the bundle whose files are read now


_trust = _Trust()


def start_own_code(*, trusted: bool) -> None:
    """Begin a command: no folder of the user is on `sys.path`. `trusted` is whether code of bundles may run.

    Unless it may, the working directory is removed from `sys.path` if it is in a bundle. An empty part of the
    environment variable PYTHONPATH puts it there, at the front.
    """
    _trust.strangers, _trust.reading = trusted, None
    _use([])
    if not trusted and bundle_around(Path()) is not None:
        here, ours = os.path.abspath(""), str(Path(__file__).parents[1])
        sys.path[:] = [each for each in sys.path if os.path.abspath(each) != here or each == ours]


def strangers_trusted() -> bool:
    """Whether code of bundles may run."""
    return _trust.strangers


def use_own_folders(study_folder: Path | None = None, *, bundle: Path | None = None) -> None:
    """Put the folder of the study file, then the working directory, at the end of `sys.path`.

    The folders of an earlier call are removed from `sys.path`. Own code is searched for again. Unless the user trusts
    the code of bundles, folders in a bundle are left out; and if the study file is of a `bundle`, so are all folders,
    and no import path is imported.
    """
    trusted = _trust.strangers
    _trust.reading = None if trusted else bundle
    folders = [*([study_folder] if study_folder else []), Path.cwd()]
    _use([] if _trust.reading else [each for each in folders if trusted or bundle_around(each) is None])


@contextmanager
def no_own_code(bundle: Path) -> Iterator[None]:
    """While a bundle is read: no folder of the user is on `sys.path`, and no import path is imported."""
    folders, before = [Path(each) for each in _folders], _trust.reading
    _trust.reading = bundle
    _use([])
    try:
        yield
    finally:
        _trust.reading = before
        _use(folders)


def _use(folders: Iterable[Path]) -> None:
    forget_files()
    for folder in _added:
        if folder in sys.path:
            sys.path.remove(folder)
    _folders[:] = dict.fromkeys(map(str, folders))
    _added[:] = append_to_path(_folders)


def own_folders() -> tuple[str, ...]:
    """The user's folders, for `append_to_path` in another process."""
    return tuple(_folders)


def append_to_path(folders: Sequence[str]) -> list[str]:
    """Put folders at the end of `sys.path`, in their order, and return the folders that were not in it."""
    added = [folder for folder in folders if folder not in sys.path]
    sys.path.extend(added)
    return added


@contextmanager
def spawned_processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of `count` new processes, which search for modules in the same order as this process.

    What they print goes to standard error: messages of the user's code are not results.

    multiprocessing starts them by `python -c`, which puts the working directory first on `sys.path`. The environment
    variable PYTHONSAFEPATH prevents this.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(count, mp_context=spawn, initializer=_print_to_stderr) as pool:
            yield pool
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def _print_to_stderr() -> None:
    sys.stdout.flush()
    os.dup2(2, 1)


def import_object(path: str, kind: str) -> Any:
    """The object at `package.module:Name`. `kind` is its description in messages, such as `loss`.

    Raises `ValueError` with one line for a path that does not exist, a module that fails to import, and a file of the
    user that Python does not find because another module of the same name comes first. While a bundle is read, it
    imports nothing and raises.
    """
    module, _, name = path.partition(":")
    if not (module and name):
        raise ValueError(f"{kind}: got {path!r}, must be an import path such as my_package.my_module:Name")
    if _trust.reading:
        raise ValueError(
            f"{kind}: got {path!r}, which is named in the bundle {_trust.reading}; nothing is imported"
        )
    if hidden := _hidden_file(module):
        raise ValueError(f"{kind}: got {path!r}, {hidden}")
    try:
        return getattr(_imported(path, module), name)
    except KeyboardInterrupt:
        raise
    except SettingError as error:
        raise ValueError(f"{kind}: got {path!r}, but {error}") from error
    except BaseException as error:  # whatever the user's module raises must end in one line about the path
        raise ValueError(f"{kind}: got {path!r}, which fails to import: {one_line(error)}") from error


def _imported(path: str, module: str) -> ModuleType:
    if loaded := sys.modules.get(module):
        return loaded
    with own_code_runs(path):
        return importlib.import_module(module)


def one_line(error: BaseException) -> str:
    """The message of an error in one line, with its class unless it is a `ValueError`."""
    message = " ".join(str(error).split())
    return message if isinstance(error, ValueError) else f"{type(error).__name__}: {message}"


def _hidden_file(module: str) -> str | None:
    """A message if another module hides a module of the user; None if it is not hidden or does not exist.

    Only the first part of the name matters: Python looks for the other parts inside the package that it finds.
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
    """The file of a module in a folder; None if there is none."""
    if not all(module.split(".")):
        return None
    base = folder.joinpath(*module.split("."))
    files = [base / "__init__.py", *(base.with_name(base.name + suffix) for suffix in all_suffixes())]
    return next((file for file in files if file.is_file()), None)


def _find(module: str) -> ModuleSpec | None:
    """The spec of a module; None if Python does not find it. Imports the packages that contain the module."""
    try:
        return find_spec(module)
    except (ImportError, ValueError):  # `ValueError`: an empty name, or a module without a spec
        return None


def _homes(spec: ModuleSpec) -> set[Path]:
    """The folders on the Python path that contain a top-level module; none for a module built into Python."""
    places = spec.submodule_search_locations or ([spec.origin] if spec.has_location and spec.origin else [])
    return {Path(place).resolve().parent for place in places}


def _described(name: str, spec: ModuleSpec) -> str:
    """A description of a top-level module that Python finds, for a message."""
    if name in OUR_PACKAGES:
        return f"the package {name!r} of this platform"
    if name in sys.stdlib_module_names:
        return f"the module {name!r} of the standard library"
    place = spec.origin or ", ".join(spec.submodule_search_locations or [])
    return f"the installed package {name!r} ({place})"
