"""`study failures` lists failures by kind, each with a traceback."""

import json
from pathlib import Path

from study.report.failures import group_failures
from study.report.summary import failure_lines
from tests.prose import assert_says
from tests.study.cli.conftest import Finished
from tests.study.running import invoke
from trainables.store.attempts import failures
from trainables.store.records import RecordStore


def test_one_traceback_a_kind(finished: Finished) -> None:
    output = invoke("failures", finished.study, "--store", finished.store).output
    assert "4 of 12 recorded trials failed, in 2 ways" in output
    assert "2 crashed: RuntimeError: no more than 12 pairs" in output
    assert "2 diverged: Diverged" in output
    assert output.count("Traceback of the first:") == 2
    assert f"study retry {finished.study} --error RuntimeError --store {finished.store}" in output
    for key in finished.ids("crashed") + finished.ids("diverged"):
        assert key in output


def test_json(finished: Finished) -> None:
    told = json.loads(invoke("failures", finished.study, "--store", finished.store, "--json").stdout)
    assert (told["study"], told["recorded"], told["failed"]) == ("tiny", 12, 4)
    by_status = {group["status"]: group for group in told["groups"]}
    assert {each["trial_id"] for each in by_status["crashed"]["trials"]} == set(finished.ids("crashed"))
    assert "no more than 12 pairs" in by_status["crashed"]["traceback"]


def test_none(finished: Finished) -> None:
    for key in finished.ids("crashed") + finished.ids("diverged"):
        finished.put_again(key, status="ok")
    output = invoke("failures", finished.study, "--store", finished.store).output
    assert output == "tiny: none of the 12 recorded trials failed.\n"


def test_numbers_in_messages_tell_no_kinds_apart() -> None:
    def row(message: str | None, status: str = "oom") -> dict[str, object]:
        return {"status": status, "error_class": "OutOfMemoryError", "error_message": message}

    rows = [row("2.50 GiB"), row("took 1e-3"), row("31.2 GiB"), row("31.2 GiB", "crashed"), row(None)]
    assert [len(group.rows) for group in group_failures(rows)] == [2, 1, 1, 1]


def test_the_end_of_a_run_tells_the_same_kinds(finished: Finished) -> None:
    """The two that diverged did so at steps of different budgets: one kind here and there."""
    first, second = finished.ids("diverged")
    finished.put_again(first, error_message="the loss was not finite at step 1 of 14")
    finished.put_again(second, error_message="the loss was not finite at step 1 of 30")
    lines = failure_lines(RecordStore(finished.store).read().table, "tiny")
    groups = group_failures(failures(RecordStore(finished.store).read().table))
    assert len(lines) == len(groups) == 2
    assert all(line.startswith(group.title) for line, group in zip(lines, groups, strict=True))
    diverged = next(line for line in lines if line.startswith("2 diverged"))
    assert "the others differ in numbers" in diverged
    assert "differ" not in next(line for line in lines if "crashed" in line)


def test_trials_that_are_missing_are_told_of(finished: Finished, tmp_path: Path) -> None:
    """A third seed in the study file adds 6 trials that have not run."""
    study = tmp_path / finished.study.name
    study.write_text(finished.study.read_text().replace("seeds = [0, 1]", "seeds = [0, 1, 2]"))
    output = invoke("failures", study, "--store", finished.store).output
    assert_says(output, "6 trials are missing")
    assert f"study run {study} --store {finished.store}" in output
    result = invoke("retry", study, "--store", finished.store, "--status", "oom")
    assert (result.exit_code, "6 trials are missing" in result.output) == (0, True)
    assert f"study run {study} --store {finished.store}" in result.output
