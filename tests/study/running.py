"""Runs `study` in this process or as a process of its own, and reads what it left in the store."""

import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from study.cli.main import main

_REPOSITORY = Path(__file__).resolve().parents[2]


def invoke(*words: object) -> Result:
    """`study` with these words, in this process."""
    return CliRunner().invoke(main, [str(word) for word in words])


def start(study: Path, store: Path) -> "subprocess.Popen[str]":
    """`study run` as a process of its own, in a group of its own, as a terminal would start it."""
    return start_command("run", study, "--store", store)


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
