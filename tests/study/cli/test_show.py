"""`study show` gives all that a store knows of one trial."""

import json

import pytest

from tests.study.cli.conftest import Finished
from tests.study.running import invoke
from trainables.store.artefacts import curve_path


def test_attempts_config_and_how_to_run_it_again(finished: Finished) -> None:
    [key, _] = finished.ids("crashed")
    finished.put_again(key, status="oom")
    told = json.loads(invoke("show", key[:10], "--store", finished.store, "--json").stdout)
    assert told["trial_id"] == key
    assert told["studies"] == ["tiny"]
    assert len(told["launches"]) == 1
    assert [(row["attempt"], row["status"]) for row in told["attempts"]] == [(0, "crashed"), (1, "oom")]
    assert told["config"]["task"]["training"]["batch_size"] == 16
    assert told["files"] == {}
    study = finished.store / "studies" / "tiny" / "study.toml"
    assert told["again"] == f"study trial {study} {key} --store {finished.store}"
    again = invoke(*told["again"].split()[1:])
    assert "it differs in status" in again.output.replace("\n", " ")


def test_for_people(finished: Finished) -> None:
    [key, _] = finished.ids("crashed")
    row = next(row for row in finished.rows if row["trial_id"] == key)
    curve = curve_path(finished.store, row["pretrain_id"])
    curve.parent.mkdir()
    curve.touch()
    output = invoke("show", key, "--store", finished.store).output
    assert "Fragile batch_size=16 how=raise" in output
    assert "RuntimeError: no more than 12 pairs" in output
    assert f"Curve: {curve}" in output
    assert ["seed", str(row["seed"])] in [line.split() for line in output.splitlines()]  # of no unit
    assert 'how = "raise"' in output.replace("\n", "")


@pytest.mark.parametrize("trial_id", ["zzz", "!"])
def test_no_single_trial(trial_id: str, finished: Finished) -> None:
    result = invoke("show", trial_id, "--store", finished.store)
    assert result.exit_code == 2
    assert "of the 12 recorded trials" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
