"""Failures by kind, each with a traceback."""

import json

from study.commands.failures import group_failures
from tests.study.commands.conftest import Finished
from tests.study.test_bad_input import invoke


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
