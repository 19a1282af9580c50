"""`study watch` describes a store, changes nothing in it, and ends at Ctrl-C."""

import base64
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.loaded import load_study
from study.watching.state import watch_state
from tests.study.cli.conftest import Finished
from tests.study.conftest import WriteStudy
from tests.study.running import invoke


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def codes_of(data: Mapping[str, Any]) -> bytes:
    """The codes of the statuses of all trials."""
    return zlib.decompress(base64.b64decode(data["trials"]["status"]))


def test_the_state_is_that_of_the_store(finished: Finished) -> None:
    before = content(finished.store)
    state = json.loads(
        json.dumps(watch_state(load_study(str(finished.study), str(finished.store), None)), allow_nan=False)
    )
    assert content(finished.store) == before
    assert {name: count for name, count in state["counts"].items() if count} == {
        "trials": 12,
        "ok": 8,
        "diverged": 2,
        "crashed": 2,
    }
    assert (state["launches"], state["left"]) == (0, "")
    assert sorted(group["title"].split(":")[0] for group in state["failures"]) == ["2 crashed", "2 diverged"]
    crashed = next(group for group in state["failures"] if "crashed" in group["title"])
    assert "Traceback" in crashed["traceback"]
    assert len(crashed["trials"]) == 2
    data = state["explorer"]
    assert state["column"] == "val_probe10_accuracy"
    assert "val_probe10_accuracy" in [metric["column"] for metric in data["metrics"]]
    kinds = [data["statuses"][code]["kind"] for code in codes_of(data)]
    assert (kinds.count("ok"), kinds.count("failed")) == (8, 4)


def test_a_study_that_has_not_begun(write_study: WriteStudy, tmp_path: Path) -> None:
    state = watch_state(load_study(str(write_study()), str(tmp_path / "none"), None))
    assert (state["counts"]["trials"], state["counts"]["missing"]) == (12, 12)
    assert not (tmp_path / "none").exists()
    data = state["explorer"]
    assert {data["statuses"][code]["name"] for code in codes_of(data)} == {"not run"}


def test_a_search_that_has_not_begun_has_no_surfaces(write_study: WriteStudy, tmp_path: Path) -> None:
    study = write_study(("[axes]", '[search]\ndesign = "optuna"\ntrials = 2\n[axes]'))
    state = watch_state(load_study(str(study), str(tmp_path / "none"), None))
    assert (state["explorer"], state["counts"]["undecided"]) == (None, 8)


def test_a_port_that_is_taken(finished: Finished) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke("watch", finished.study, "--store", finished.store, "--port", port)
    assert result.exit_code == 2
    assert f"--port: cannot listen on {port}" in result.stderr


def test_control_c_ends_it(finished: Finished) -> None:
    command = [sys.executable, "-c", "from study.cli.main import main; main()", "watch"]
    process = subprocess.Popen(
        [*command, str(finished.study), "--store", str(finished.store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)[0]
        with urllib.request.urlopen(f"{address}state.json", timeout=60) as answer:
            assert json.load(answer)["counts"]["ok"] == 8
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (0, "", "")
