"""`study cancel`: asks the running launches of a study to stop, as Ctrl-C in their terminal does."""

import time
from pathlib import Path

from study.console import CONSOLE, say_error
from study.errors import DONE, FAILED, StudyError
from study.launch.manifest import (
    Manifest,
    cancel_path,
    is_running,
    launches_folder,
    read_manifests,
    running_launches,
)
from study.spec.load import load_spec
from trainables.store.records import open_store

_LOOK_SECONDS = 0.2


def cancel_study(study: str, store: str, *, wait: float) -> int:
    """Ask, wait until they have ended, and return the exit code: 1 when one is still there after `wait` seconds."""
    name = load_spec(study).spec.name
    folder = launches_folder(open_store(store).path, name)
    running = running_launches(folder)
    if not running:
        raise StudyError(f"cancel: no launch of {name} runs in the store {store}")
    for manifest in running:
        _ask(folder, manifest)
    left = _await_end(folder, running, wait)
    for manifest in left:
        say_error(
            f"launch {manifest.launch} on {manifest.machine.get('node')} was asked to stop but runs still, after "
            f"{wait:g} s; its process there is {manifest.pid}"
        )
    _say_ended(folder, {manifest.launch for manifest in running} - {manifest.launch for manifest in left})
    return FAILED if left else DONE


def _ask(folder: Path, manifest: Manifest) -> None:
    try:
        cancel_path(folder, manifest).touch()
    except OSError as error:
        raise StudyError(f"cancel: cannot write to {folder} ({error.strerror or error})") from error
    CONSOLE.print(
        f"Asked launch {manifest.launch} on {manifest.machine.get('node')} to stop; it ends its workers first.",
        soft_wrap=True,
    )


def _await_end(folder: Path, running: list[Manifest], wait: float) -> list[Manifest]:
    """Those that run still after `wait` seconds."""
    deadline = time.monotonic() + wait
    while (left := [each for each in running if _runs(folder, each)]) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return left


def _runs(folder: Path, manifest: Manifest) -> bool:
    return any(is_running(folder, each) for each in read_manifests(folder) if each.launch == manifest.launch)


def _say_ended(folder: Path, launches: set[str]) -> None:
    for manifest in read_manifests(folder):
        if manifest.launch in launches:
            cancel_path(folder, manifest).unlink(missing_ok=True)  # one that died could not
            CONSOLE.print(_end_line(manifest), soft_wrap=True)


def _end_line(manifest: Manifest) -> str:
    if manifest.outcome == "finished":
        return f"Launch {manifest.launch} had just finished its {manifest.planned} trials."
    return (
        f"Launch {manifest.launch} has stopped: {len(manifest.trials)} of its {manifest.planned} trials are done "
        f"and kept; `{' '.join(manifest.command)}` continues."
    )
