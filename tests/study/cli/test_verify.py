"""`study verify` runs trials again, and reports each that differs from its record and by how much."""

import json
from pathlib import Path
from typing import Any

import pytest

from study.cli.verify import draw_sample
from tests.study.cli.conftest import Finished
from tests.study.running import invoke


def verify(finished: Finished, *words: str) -> tuple[int, dict[str, Any]]:
    result = invoke("verify", finished.study, "--store", finished.store, "--json", *words)
    return result.exit_code, json.loads(result.stdout)


def test_what_ran_here_reproduces(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAGILE", "1")  # as when it ran
    code, told = verify(finished, "--sample", "99")
    assert code == 0
    assert (told["checked"], told["reproduced"]) == (10, 10)  # diverged ones too
    assert all(trial["reproduces"] and not trial["differing"] for trial in told["trials"])


def test_what_does_not_is_said_with_its_difference(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAGILE", "1")
    victim = finished.ids("ok")[3]
    value = next(row for row in finished.rows if row["trial_id"] == victim)["test_probe10_accuracy"]
    finished.put_again(victim, test_probe10_accuracy=value + 0.25, torch_version="0.1")
    code, told = verify(finished, "--sample", "99")
    assert code == 1
    [differs] = [trial for trial in told["trials"] if not trial["reproduces"]]
    assert differs["trial_id"] == victim
    assert differs["differing"] == {"test_probe10_accuracy": [value + 0.25, value]}
    assert differs["conditions"]["torch_version"][0] == "0.1"
    result = invoke("verify", finished.study, "--store", finished.store, "--sample", "99")
    assert result.exit_code == 1
    assert "a difference of -0.25" in result.output
    assert "1 of 10 trials do not reproduce" in result.output


def test_the_sample_is_seeded(finished: Finished) -> None:
    drawn = [
        [each["trial_id"] for each in verify(finished, "--sample", "2", "--seed", seed)[1]["trials"]]
        for seed in ("1", "1", "2")
    ]
    assert drawn[0] == drawn[1]
    recorded = finished.ids("ok") + finished.ids("diverged")
    samples = [set(draw_sample(recorded, 2, seed)) for seed in (1, 1, 2)]
    assert samples[0] != samples[2]
    assert [set(each) for each in drawn] == samples  # the output is in the order of the stacks
    ids = [f"{number:02}" for number in range(50)]
    assert draw_sample(ids, 5, 1) == draw_sample(ids[::-1], 5, 1) != draw_sample(ids, 5, 2)


def test_nothing_is_written(finished: Finished) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.store.rglob("*")}
    verify(finished, "--sample", "1")
    assert {path: path.stat().st_mtime_ns for path in finished.store.rglob("*")} == before


def test_a_stack_that_the_study_has_no_more_is_said(finished: Finished, tmp_path: Path) -> None:
    assert all(row["stack_size"] > 1 for row in finished.rows if row["status"] == "ok")
    study = tmp_path / "less.toml"
    study.write_text(finished.study.read_text().replace("seeds = [0, 1]", "seeds = [0]"))
    result = invoke("verify", study, "--store", finished.store, "--sample", "99")
    assert "5 of 5 finished trials run again" in result.output
    assert (
        result.stderr.count("with trials that the study no longer has") == 4
    )  # the diverged one trained alone


def test_nothing_to_verify(finished: Finished) -> None:
    result = invoke("verify", finished.study, "--store", finished.store / "empty")
    assert result.exit_code == 2
    assert "no trial of tiny has finished" in result.stderr
