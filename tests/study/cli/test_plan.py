"""`study plan` says what it knows without data, what has no effect, and what cannot run on this machine."""

import json
from pathlib import Path

import pytest

from tests.study.conftest import WriteStudy
from tests.study.running import invoke

_ABSENT = ('name = "digits"', 'name = "cifar10"')


def test_without_its_data_a_plan_counts_trials(
    write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STUDY_DATA_ROOT", raising=False)
    study, store = write_study(_ABSENT), tmp_path / "store"
    result = invoke("plan", study, "--store", store)
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["ntxent", "8"] in rows
    assert ["kcl", "4"] in rows
    assert ["all", "12"] in rows
    [line] = result.stderr.splitlines()
    assert line.startswith("study: this study cannot run here: tiny.toml: data 'cifar10' not found")
    assert line.endswith("`study data cifar10 --data-root FOLDER --download` downloads it")
    run = invoke("run", study, "--store", store)
    assert run.exit_code == 2
    assert run.stderr.startswith("study: tiny.toml: data 'cifar10' not found")
    assert not store.exists()


def test_a_narrow_screen_does_not_break_the_name(
    write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("study.console.CONSOLE._width", 20)
    name = "a_name_that_is_longer_than_the_table"
    study = write_study(_ABSENT, ('name = "tiny"', f'name = "{name}"'))
    result = invoke("plan", study, "--data-root", tmp_path)
    assert result.stdout.splitlines()[0] == f"Plan of {name}"


def test_without_its_data_the_json_has_no_missing_trials(write_study: WriteStudy, tmp_path: Path) -> None:
    result = invoke("plan", write_study(_ABSENT), "--json", "--data-root", tmp_path)
    assert result.exit_code == 0
    facts = json.loads(result.stdout)
    assert (facts["study"], facts["trials"], facts["missing"]) == ("tiny", 12, None)
    assert f"data 'cifar10' not found at {tmp_path}" in facts["absent_data"]
    assert facts["absent_data"].count("--download") == 1


@pytest.mark.parametrize("axis", ["[1]", '["8"]'])
def test_errors_come_before_absent_data(axis: str, write_study: WriteStudy) -> None:
    result = invoke("plan", write_study(_ABSENT, ("[8, 16]", axis)))
    assert result.exit_code == 2
    assert "axes.batch_size: got " in result.stderr


def test_what_no_machine_holds_is_planned_and_not_run(write_study: WriteStudy, tmp_path: Path) -> None:
    study, store = write_study(("width = 4", "width = 1000000")), tmp_path / "store"
    line = "encoder.width: got 1000000, which needs "
    plan = invoke("plan", study, "--store", store)
    assert plan.exit_code == 0, plan.output
    assert f"study: this study cannot run here: {line}" in plan.stderr
    assert "all" in plan.stdout
    for command in ("run", "trial", "bench"):
        words = (study,) if command == "bench" else (study, "--store", store)
        result = invoke(command, *words)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"study: {line}")
        assert len(result.stderr.splitlines()) == 1
    assert not store.exists()


def test_a_key_without_effect_is_a_note(write_study: WriteStudy, tmp_path: Path) -> None:
    study = write_study(("steps = 3", "steps = 3\nlars_trust = 0.1"))
    note = "training.lars_trust has no effect here, because it needs training.optimizer = lars"
    # the cost is not wanted: 100,000 processors are nowhere
    huge = ("[axes]", "[resources]\ncpus_per_trial = 100000\n[axes]")
    plan = invoke("plan", write_study(("steps = 3", "steps = 3\nlars_trust = 0.1"), huge))
    assert plan.exit_code == 0
    assert f"Note: {note}." in plan.stdout
    facts = json.loads(invoke("plan", study, "--store", tmp_path, "--json").stdout)
    assert facts["notes"] == [note]
