"""Runs of the user's own code in this process: imports and trial calls, which leave the rest of the process as it is.

This module imports no torch: the user's code may load it.
"""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from trainables.own_files import is_own, walked_files

#: Settings of torch for the whole process: how to read and to write each, and its value in a new process.
_SETTINGS: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any], Callable[[Any], Any]]] = {
    "default dtype": (
        lambda torch: torch.get_default_dtype(),
        lambda torch, value: torch.set_default_dtype(value),
        lambda torch: torch.float32,
    ),
    "default device": (
        lambda torch: torch.get_default_device(),
        lambda torch, value: torch.set_default_device(None if value.type == "cpu" else value),
        lambda torch: torch.device("cpu"),
    ),
    "deterministic debug mode": (
        lambda torch: torch.get_deterministic_debug_mode(),
        lambda torch, value: torch.set_deterministic_debug_mode(value),
        lambda _: 0,
    ),
    "backends.cudnn.deterministic": (
        lambda torch: torch.backends.cudnn.deterministic,
        lambda torch, value: setattr(torch.backends.cudnn, "deterministic", value),
        lambda _: False,
    ),
    "backends.cudnn.benchmark": (
        lambda torch: torch.backends.cudnn.benchmark,
        lambda torch, value: setattr(torch.backends.cudnn, "benchmark", value),
        lambda _: False,
    ),
    "gradients": (
        lambda torch: torch.is_grad_enabled(),
        lambda torch, value: torch.set_grad_enabled(value),
        lambda _: True,
    ),
}


class SettingError(ValueError):
    """The user's code changes a setting of torch that holds for the whole process."""


#: The modules that were loaded while the code at an import path ran.
_loaded: dict[str, set[str]] = {}


@contextmanager
def own_code_runs(path: str, *, keeps_random: bool = False) -> Iterator[None]:
    """Around an import or a trial call of the code at an import path.

    What the code prints goes to standard error. Afterwards torch's settings are as before, and so are the global
    random states of Python, numpy and torch, unless `keeps_random`: then a later run does not repeat their numbers.
    Raises `SettingError` in one line if the code changed one of the settings.
    """
    modules, settings, restore = set(sys.modules), _settings(), _random_states()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        loaded = set(sys.modules) - modules
        if not keeps_random:
            restore()
        change = _restored(settings)
        if change:  # otherwise a second import would find the modules loaded, and change nothing
            for name in [name for name in loaded if _own_file(name)]:
                del sys.modules[name]
        else:
            _loaded.setdefault(path, set()).update(loaded)
    if change:
        raise SettingError(
            f"the module {path.partition(':')[0]!r} changes torch's {change}, which holds for all other code of the "
            "process too; leave it as it is"
        )


def loaded_unseen(paths: list[str]) -> tuple[str, ...]:
    """Own modules that the code at these import paths loaded in this process, but that its source does not name."""
    seen = {file.resolve() for path in paths for file in walked_files(path)}
    found: dict[Path, str] = {}
    for path in paths:
        for name in sorted(_loaded.get(path, ())):
            file = _own_file(name)
            if file and file.resolve() not in seen:
                found.setdefault(file.resolve(), f"{file.name}, which {path} loads as {name}")
    return tuple(found.values())


def _own_file(module: str) -> Path | None:
    """The file of a loaded module of the user; None for all others."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return Path(spec.origin) if spec is not None and is_own(spec) else None


def _settings() -> dict[str, Any]:
    """Torch's settings by name; empty as long as torch is not loaded."""
    torch = sys.modules.get("torch")
    return {name: read(torch) for name, (read, _, _) in _SETTINGS.items()} if torch else {}


def _restored(before: dict[str, Any]) -> str | None:
    """Give torch its settings back. Returns the first change in words; None if there is none."""
    torch = sys.modules.get("torch")
    if not torch:
        return None
    change = None
    for name, (read, write, first) in _SETTINGS.items():
        value, known = read(torch), before[name] if before else first(torch)
        if value != known:
            change = change or f"{name} from {known} to {value}"
            write(torch, known)
    return change


def _random_states() -> Callable[[], None]:
    """A function that gives the global generators of Python, numpy and torch their states of now."""
    state = random.getstate()
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    of_numpy = numpy.random.get_state() if numpy else None
    of_torch = torch.get_rng_state() if torch else None

    def restore() -> None:
        random.setstate(state)
        if numpy:
            numpy.random.set_state(of_numpy)
        if torch:
            torch.set_rng_state(of_torch)

    return restore
