"""Runs `study` in this process or as a process of its own, and reads what it left in the store."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
from click.testing import CliRunner, Result

from study.cli.main import main
from study.launch.start import Workers, launch_trials, prepare_store
from study.loaded import LoadedStudy, load_study

_REPOSITORY = Path(__file__).resolve().parents[2]


def invoke(*words: object) -> Result:
    """`study` with these words, in this process."""
    return CliRunner().invoke(main, [str(word) for word in words])


def run_missing(study: Path, store: Path) -> LoadedStudy:
    """The study after its missing trials have run in this process, without a report, which takes longer than they."""
    loaded = load_study(str(study), str(store), None)
    prepare_store(str(study), loaded)
    assert launch_trials(loaded, loaded.plan.missing, Workers(count=1, runner="inline")) is None
    return load_study(str(study), str(store), None)


def start(study: Path, store: Path, *options: object) -> "subprocess.Popen[str]":
    """`study run` as a process of its own, in a group of its own, as a terminal would start it."""
    return start_command("run", study, "--store", store, *options)


def start_command(*words: object) -> "subprocess.Popen[str]":
    """`study` with these words, likewise."""
    return subprocess.Popen(
        [sys.executable, "-c", "from study.cli.main import main; main()", *map(str, words)],
        cwd=_REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def records(store: Path) -> list[Path]:
    """The files that trials put, apart from those in which they were joined."""
    return sorted(p for p in (store / "records").glob("*.parquet") if not p.name.startswith("compact-"))


def counts(study: Path, store: Path) -> dict[str, int]:
    """Trials by status, as `study status` gives them."""
    return json.loads(invoke("status", study, "--store", store, "--json").output)


def workers_of(session: int) -> list[int]:
    """Processes still alive in the session of the process `session`."""
    alive = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process.pid)
    return alive
