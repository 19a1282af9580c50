"""`study retry` runs failures again as further attempts and keeps the earlier ones."""

import pytest

from tests.study.cli.conftest import Finished
from tests.study.running import invoke
from trainables.store.attempts import all_attempts
from trainables.store.records import RecordStore


def retry(finished: Finished, *words: str) -> str:
    result = invoke("retry", finished.study, "--store", finished.store, "--runner", "inline", *words)
    assert result.exit_code == 0, result.output
    return result.output


def attempts(finished: Finished, trial_id: str) -> list[tuple[int, str]]:
    rows = all_attempts(RecordStore(finished.store), [trial_id]).to_pylist()
    return [(row["attempt"], row["status"]) for row in rows]


@pytest.mark.slow
def test_what_failed_runs_again_and_its_history_stays(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed, diverged, ok = (finished.ids(status) for status in ("crashed", "diverged", "ok"))
    assert (len(crashed), len(diverged), len(ok)) == (2, 2, 8)
    assert "2 of 12 trials to run" in retry(finished, "--status", "crashed")
    assert [attempts(finished, key) for key in crashed] == [[(0, "crashed"), (1, "ok")]] * 2
    assert [attempts(finished, key) for key in ok] == [[(0, "ok")]] * 8
    assert set(finished.ids("ok")) == {*crashed, *ok}
    assert "nothing to run again" in retry(finished, "--status", "crashed")
    monkeypatch.setenv("FRAGILE", "1")
    assert "2 of 12 trials to run" in retry(finished, "--error", "Diverged")
    assert [attempts(finished, key) for key in diverged] == [[(0, "diverged"), (1, "diverged")]] * 2


def test_status_and_error_narrow_each_other(finished: Finished) -> None:
    output = retry(finished, "--status", "crashed", "--error", "Diverged")
    assert "no trial ended with crashed and Diverged" in output
    assert "2 crashed: RuntimeError" in output
    assert "2 diverged: Diverged" in output


def test_a_dry_run_writes_nothing(finished: Finished) -> None:
    before = sorted(path for path in finished.store.rglob("*"))
    output = retry(finished, "--status", "crashed", "--status", "diverged", "--dry-run")
    for key in finished.ids("crashed") + finished.ids("diverged"):
        assert key in output
    assert sorted(path for path in finished.store.rglob("*")) == before


def test_which_trials_must_be_said(finished: Finished) -> None:
    result = invoke("retry", finished.study, "--store", finished.store)
    assert result.exit_code == 2
    assert "--status" in result.stderr
    assert "--error" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert invoke("retry", finished.study, "--status", "ok").exit_code == 2
