"""Two processes that get the same command at once share the work, and one outlives the other."""

import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from study.launch.manifest import launches_folder, read_manifests
from tests.chaos.many_trials import PATIENCE, many_trials, wait_for_records
from tests.study.conftest import WriteStudy, write_study  # noqa: F401  the fixture
from tests.study.launch.searching import RANGES, search, told_states
from tests.study.running import counts, start_command
from trainables.store.records import RecordStore

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(2 * PATIENCE)]


def twice(*words: object) -> list["subprocess.Popen[str]"]:
    return [start_command(*words) for _ in range(2)]


def outputs(processes: list["subprocess.Popen[str]"]) -> list[str]:
    """Of processes that all end well."""
    said = [process.communicate(timeout=PATIENCE)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), "\n".join(said)
    return said


def runs(store: Path) -> Counter[str]:
    """How often each trial ran to its end, as the launches that ran it say."""
    manifests = read_manifests(launches_folder(store, "tiny"))
    return Counter(t["trial_id"] for each in manifests for t in each.trials if not t["found"])


@pytest.mark.ray
def test_a_study_that_is_launched_twice_is_computed_once(
    write_study: WriteStudy,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Their first trials wait for each other, so that neither has finished before the other one starts."""
    meets = (
        f'[losses."tests.chaos.losses:Meets"]\nfolder = ["{tmp_path}"]\nweight = [1.0, 2.0, 3.0]\nlr = 0.1'
    )
    study = many_trials(write_study, losses=meets)
    store = tmp_path / "store"
    said = outputs(twice("run", study, "--store", store, "--workers", 1))
    assert all("Report:" in each for each in said)
    records = RecordStore(store).read_all()
    assert records.table.num_rows == 36
    assert not records.damaged
    assert counts(study, store)["ok"] == 36
    assert sorted(runs(store).values()) == [1] * 36
    both = read_manifests(launches_folder(store, "tiny"))
    assert all(any(not trial["found"] for trial in each.trials) for each in both), "one of them did it all"
    assert not list((store / "leases").iterdir())


@pytest.mark.ray
def test_a_launch_takes_over_from_one_that_was_killed(
    write_study: WriteStudy,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Its workers end with it, in the midst of trials whose leases nobody renews."""
    study, store = many_trials(write_study, steps=400), tmp_path / "store"
    one, two = twice("run", study, "--store", store, "--workers", 1)
    wait_for_records(store, 6)
    os.kill(one.pid, signal.SIGKILL)
    one.communicate(timeout=PATIENCE)
    [said] = outputs([two])
    assert "Report:" in said
    assert counts(study, store)["ok"] == 36
    records = RecordStore(store).read_all()
    assert records.table.num_rows == 36
    assert not records.damaged


def test_a_search_that_is_launched_twice_has_one_budget(
    write_study: WriteStudy,  # noqa: F811
    tmp_path: Path,
) -> None:
    study, store = write_study(*RANGES, search(trials=6, startup=2)), tmp_path / "store"
    outputs(twice("run", study, "--store", store, "--runner", "inline"))
    assert counts(study, store)["missing"] == 0
    assert {state.name for state in told_states(RecordStore(store))} == {"COMPLETE"}
    assert RecordStore(store).read_all().table.num_rows == 24
    assert sorted(runs(store).values()) == [1] * 24


def test_a_retry_that_is_given_twice_makes_one_attempt(
    write_study: WriteStudy,  # noqa: F811
    tmp_path: Path,
) -> None:
    own = '[losses."tests.study.own_loss:FailsAtHalf"]\nmargin = [0.5]\nlr = 0.1'
    study, store = write_study(("[losses.kcl]\nt = [2.0]", own)), tmp_path / "store"
    outputs([start_command("run", study, "--store", store, "--runner", "inline")])
    assert counts(study, store)["crashed"] == 4
    outputs(twice("retry", study, "--status", "crashed", "--store", store, "--runner", "inline"))
    records = RecordStore(store).read_all()
    assert not records.damaged
    # One that had ended before the other looked is a failure to be retried like any.
    assert records.table.num_rows == sum(runs(store).values())
    attempts = records.table.select(["trial_id", "attempt"]).to_pylist()
    highest = Counter(row["trial_id"] for row in attempts)
    assert sorted(row["attempt"] for row in attempts) == sorted(n for c in highest.values() for n in range(c))
