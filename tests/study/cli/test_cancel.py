"""A running launch stops when it is asked, as by Ctrl-C."""

import threading
from pathlib import Path

import pytest

from study.cli.cancel import cancel_study
from study.launch.manifest import (
    launches_folder,
    new_manifest,
    read_manifests,
    running_launches,
    write_manifest,
)
from tests.study.conftest import WriteStudy
from tests.study.running import invoke
from tests.waiting import wait_until


def test_what_runs_stops_and_says_how_far_it_is(write_study: WriteStudy, tmp_path: Path) -> None:
    study, store = write_study(("steps = 3", "steps = 1000000")), tmp_path / "store"
    folder = launches_folder(store, "tiny")
    codes: list[int] = []

    def cancel() -> None:
        wait_until(lambda: running_launches(folder))
        codes.append(cancel_study(str(study), str(store), wait=60))

    thread = threading.Thread(target=cancel)
    thread.start()
    result = invoke("run", study, "--store", store, "--runner", "inline")
    thread.join()
    assert result.exit_code == 130
    assert (
        "stopped: 0 of 12 trials are done and kept, 12 are left; the same command continues" in result.output
    )
    assert codes == [0]
    [manifest] = read_manifests(folder)
    assert manifest.outcome == "stopped"
    assert [path.suffix for path in folder.iterdir()] == [".json"]  # the next launch is not asked


def test_nothing_runs(write_study: WriteStudy, tmp_path: Path) -> None:
    result = invoke("cancel", write_study(), "--store", tmp_path / "store")
    assert result.exit_code == 2
    assert result.stderr.startswith("study: cancel: no launch of tiny runs")
    assert not (tmp_path / "store").exists()


def test_what_does_not_stop_is_said(
    write_study: WriteStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = launches_folder(tmp_path, "tiny")
    write_manifest(folder, new_manifest(study="tiny", study_file="", runner="ray", workers=1, planned=2))
    assert cancel_study(str(write_study()), str(tmp_path), wait=0) == 1  # this process asks nobody
    assert "still runs" in capsys.readouterr().err
