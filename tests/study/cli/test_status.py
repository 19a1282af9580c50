"""`study status` counts trials by status, also while a launch is running."""

import json
import threading
from pathlib import Path

import pytest

from study.cli.status import show_status
from study.launch.start import Workers, launch_trials, prepare_store
from study.loaded import load_study
from tests.study.cli.conftest import Finished
from tests.study.conftest import WriteStudy
from tests.study.running import invoke
from tests.waiting import wait_until


def test_counts_and_launches(finished: Finished) -> None:
    told = json.loads(invoke("status", finished.study, "--store", finished.store, "--json").stdout)
    assert (told["ok"], told["crashed"], told["diverged"], told["missing"]) == (8, 2, 2, 0)
    assert told["launches"] == []
    output = invoke("status", finished.study, "--store", finished.store).output
    assert "no launch runs now" in output


def test_a_watch_ends_when_nothing_is_missing(finished: Finished) -> None:
    output = invoke("status", finished.study, "--store", finished.store, "--watch").output
    assert output == "tiny: 12 trials: 8 ok, 2 diverged, 2 crashed, 0 missing, no launch runs now\n"


def test_a_watch_says_what_changes(
    write_study: WriteStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, store = write_study(), tmp_path / "store"
    watch = threading.Thread(
        target=show_status,
        args=(str(study), str(store), None),
        kwargs={"as_json": True, "watch": True, "every": 0.02},
    )
    watch.start()
    loaded = load_study(str(study), str(store), None)
    prepare_store(str(study), loaded)
    told_by_watch = ""

    def is_told() -> bool:
        nonlocal told_by_watch
        told_by_watch += capsys.readouterr().out
        return '"missing": 12' in told_by_watch

    wait_until(is_told)
    launch_trials(loaded, loaded.plan.missing, Workers(count=1, runner="inline"))
    watch.join()
    told_by_watch += capsys.readouterr().out
    lines = [line for line in told_by_watch.splitlines() if line.startswith("{")]
    told = [json.loads(line) for line in lines]
    missing = [each["missing"] for each in told]
    assert (missing[0], missing[-1]) == (12, 0)
    assert missing == sorted(missing, reverse=True)
    assert len({json.dumps(each) for each in told}) == len(told)
    assert any(each["launches"] for each in told)
