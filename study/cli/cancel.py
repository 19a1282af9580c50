"""`study cancel`: asks the running launches of a study to stop, as Ctrl-C in their terminal does."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from study.cli.options import STORE, TRUST_CODE, guarded
from study.console import say, say_error, shell_line
from study.errors import DONE, FAILED, StudyError, writing

if TYPE_CHECKING:
    from study.launch.manifest import Manifest

#: Seconds between two checks of the manifests.
_LOOK_SECONDS = 0.2


@click.command("cancel")
@click.argument("study")
@STORE
@TRUST_CODE
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the launches to end.",
)
@guarded
def command(study: str, store: str, wait: float) -> int:
    """Stop the running launches of STUDY, as Ctrl-C does.

    They may run on this machine, or on any other machine that shares the store. Finished trials are kept. To
    continue, run the stopped command again. Exit code 1 when a launch still runs after the wait.
    """
    return cancel_study(study, store, wait=wait)


def cancel_study(study: str, store: str, *, wait: float) -> int:
    """Ask the launches to stop, and wait. Returns the exit code: 1 if a launch still runs after `wait` seconds."""
    from study.launch.manifest import launches_folder, running_launches, say_unread
    from study.spec.load import load_spec
    from trainables.store.records import open_store

    name = load_spec(study).spec.name
    folder = launches_folder(open_store(store).path, name)
    running = running_launches(folder)
    say_unread(folder)
    if not running:
        raise StudyError(f"cancel: no launch of {name} runs in the store {store}")
    for manifest in running:
        _ask(folder, manifest)
    left = _await_end(folder, running, wait)
    for manifest in left:
        say_error(
            f"launch {manifest.launch} on {manifest.machine.get('node')} was asked to stop but still runs after "
            f"{wait:g} s; its process id there is {manifest.pid}"
        )
    _say_ended(folder, {manifest.launch for manifest in running} - {manifest.launch for manifest in left})
    return FAILED if left else DONE


def _ask(folder: Path, manifest: "Manifest") -> None:
    from study.launch.manifest import cancel_path

    with writing("cancel", folder, "get access to the store"):
        cancel_path(folder, manifest).touch()
    say(
        f"Asked launch {manifest.launch} on {manifest.machine.get('node')} to stop; it ends its workers first."
    )


def _await_end(folder: Path, running: list["Manifest"], wait: float) -> list["Manifest"]:
    """The launches that still run after `wait` seconds."""
    deadline = time.monotonic() + wait
    while (left := [each for each in running if _runs(folder, each)]) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return left


def _runs(folder: Path, manifest: "Manifest") -> bool:
    from study.launch.manifest import is_running, read_manifests

    return any(is_running(folder, each) for each in read_manifests(folder) if each.launch == manifest.launch)


def _say_ended(folder: Path, launches: set[str]) -> None:
    from study.launch.manifest import cancel_path, read_manifests

    for manifest in read_manifests(folder):
        if manifest.launch in launches:
            cancel_path(folder, manifest).unlink(missing_ok=True)  # a launch that died could not remove it
            say(_end_line(manifest))


def _end_line(manifest: "Manifest") -> str:
    if manifest.outcome == "finished":
        return f"Launch {manifest.launch} had just finished its {manifest.planned} trials."
    return (
        f"Launch {manifest.launch} has stopped: {len(manifest.trials)} of its {manifest.planned} trials are done "
        f"and kept; `{shell_line(*manifest.command)}` continues."
    )
