"""Searches that stop early train less, tell Optuna so, and no other study takes a stopped trial for a result."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from study.cost.model import CostModel
from study.launch.launch import Launch
from study.launch.runners.inline import run_inline
from study.launch.search.loop import run_search
from study.searches import journal_path
from tests.study.conftest import TINY, WriteStudy
from tests.study.launch.launching import Silence, planned
from tests.study.launch.searching import points, told
from tests.study.running import invoke, start
from trainables.runtime import Runtime
from trainables.store.merge import merge_stores
from trainables.store.records import RecordStore
from trainables.store.schema import Status
from trainables.work import LaunchContext

#: Of 12 configurations of one loss, half learn next to nothing: their rate is too low.
SEARCHED = (
    ("steps = 3", "steps = 27"),
    ("batch_size = [8, 16]", "batch_size = [16]\nlr = { log = [1e-7, 1.0] }"),
    ("temperature = [0.1, 0.5]\n[losses.kcl]\nt = [2.0]", "temperature = { log = [0.05, 1.0] }"),
)
RULE = "{ eta = 3, min_resource = 3 }"


def search(stopping: str | None = RULE, sampler: str = "random", trials: int = 12) -> tuple[str, str]:
    last = f"early_stopping = {stopping}\n" if stopping else ""
    return "[axes]", f'[search]\ndesign = "optuna"\nsampler = "{sampler}"\ntrials = {trials}\n{last}[axes]'


def run(study: Path, store: RecordStore) -> list[str]:
    """The trials that ran, in their order, in this process and by one worker."""
    plan, silence = planned(study, store), Silence()
    launch = Launch(
        plan=plan,
        store=store,
        context=LaunchContext(store=store, runtime=Runtime(artefacts=store.path)),
        workers=1,
        runner=run_inline,
        costs=CostModel(task=plan.trial_set.task),
        listeners=[silence],
    )
    if plan.trial_set.design.adaptive:
        run_search(launch, alone=lambda: True)
    else:
        launch.run()
    return silence.finished_trials


def rows(store: RecordStore) -> dict[tuple[str, int], dict[str, Any]]:
    return {(row["trial_id"], row["attempt"]): row for row in store.read_all().table.to_pylist()}


def outcome(found: Sequence[Any]) -> list[Any]:
    names = ("trial_id", "status", "rung", "rung_score", "error_message", "val_probe10_accuracy")
    return sorted(tuple(str(row[name]) for name in names) for row in found)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    """A store with a search by TPE that stopped early, of which tests make their own copies."""
    folder, text = tmp_path_factory.mktemp("search"), TINY
    for old, new in (*SEARCHED, search(sampler="tpe")):
        assert old in text
        text = text.replace(old, new)
    (folder / "tiny.toml").write_text(text)
    store = RecordStore(folder / "store")
    run(folder / "tiny.toml", store)
    return store


@pytest.fixture
def study(write_study: WriteStudy) -> Path:
    """The study file of `finished`."""
    return write_study(*SEARCHED, search(sampler="tpe"))


@pytest.fixture
def store(finished: RecordStore, tmp_path: Path) -> RecordStore:
    shutil.copytree(finished.path, tmp_path / "store")
    return RecordStore(tmp_path / "store")


def as_list(write_study: WriteStudy, study: Path, store: RecordStore, name: str = "listed") -> Path:
    """A study without a search that has the same trials."""
    (found,) = points(study, store)
    tables = ", ".join(
        "{ " + ", ".join(f"{key} = {value!r}" for key, value in each.items()) + " }" for each in found
    )
    return write_study(
        ('name = "tiny"', f'name = "{name}"'),
        SEARCHED[0],
        ("[axes]\nbatch_size = [8, 16]\n", '[search]\ndesign = "list"\n'),
        (SEARCHED[2][0], f"points = [{tables}]"),
        name=f"{name}.toml",
    )


def test_bad_configurations_stop_and_the_best_is_kept(write_study: WriteStudy, tmp_path: Path) -> None:
    """Random points, so that both searches have the same configurations."""
    store, whole = RecordStore(tmp_path / "store"), RecordStore(tmp_path / "whole")
    run(write_study(*SEARCHED, search()), store)
    run(write_study(*SEARCHED, search(stopping=None)), whole)
    stopped, full = rows(store), rows(whole)
    assert stopped.keys() == full.keys()
    assert len(full) == 24
    kept = {key for key, row in stopped.items() if row["status"] == Status.OK}
    assert 2 <= len(kept) <= 14
    for key in kept:  # to the bit what they are without early stopping, but for the stack that they train in
        assert stopped[key]["val_probe10_accuracy"] == pytest.approx(
            full[key]["val_probe10_accuracy"], abs=0.05
        )
    by_rate = [(row["hp_lr"], row["status"]) for row in stopped.values()]
    assert all(status == Status.PRUNED for rate, status in sorted(by_rate)[:8])
    steps = {
        "pruned": sum(r["steps_done"] for r in stopped.values()),
        "full": sum(r["steps_done"] for r in full.values()),
    }
    assert steps["full"] == 24 * 27
    assert steps["pruned"] < steps["full"] / 2
    means: dict[str, float] = {}
    for row in full.values():
        means[row["config_id"]] = means.get(row["config_id"], 0.0) + row["val_probe10_accuracy"] / 2
    best_kept = max(means[stopped[key]["config_id"]] for key in kept)
    assert best_kept >= max(means.values()) - 0.05
    states = [trial.state.name for trial in told(store)["ntxent"]]
    assert set(states) == {"PRUNED", "COMPLETE"}
    assert len(states) == 12


def test_told_is_the_score_at_the_rung(store: RecordStore) -> None:
    trials = told(store)["ntxent"]
    pruned = [trial for trial in trials if trial.state.name == "PRUNED"]
    assert pruned
    known = {row["rung_score"] for row in rows(store).values() if row["rung"] is not None}
    for trial in pruned:
        ((rung, score),) = trial.intermediate_values.items()
        assert rung in (3, 9)
        assert score in known
        assert trial.value == score
    assert {row["pruned_by"].split()[0] for row in rows(store).values() if row["rung"]} == {"tiny:"}


def test_seeds_stop_together(store: RecordStore) -> None:
    """A configuration whose first seed was stopped costs nothing more."""
    found = rows(store).values()
    stopped = {row["config_id"] for row in found if row["seed"] == 0 and row["status"] == Status.PRUNED}
    assert stopped
    followers = [row for row in found if row["seed"] == 1 and row["config_id"] in stopped]
    assert len(followers) == len(stopped)
    assert {(row["status"], row["steps_done"]) for row in followers} == {("pruned", 0)}


def test_one_worker_makes_the_same_stops(study: Path, store: RecordStore, tmp_path: Path) -> None:
    again = RecordStore(tmp_path / "again")
    run(study, again)
    assert points(study, again) == points(study, store)
    assert outcome(rows(again).values()) == outcome(rows(store).values())


def test_a_second_run_adds_nothing(study: Path, store: RecordStore) -> None:
    before = rows(store).keys()
    assert run(study, store) == []
    plan = planned(study, store)
    counts = plan.counts()
    assert counts["missing"] == plan.undecided == 0
    assert counts["ok"] + counts["pruned"] == counts["trials"] == 24
    assert counts["pruned"] > 0
    journal_path(store.path, "tiny").unlink()  # it is made again from the records
    decided = points(study, store)
    assert decided == [[]]
    assert run(study, store) == []
    assert rows(store).keys() == before
    assert {trial.state.name for trial in told(store)["ntxent"]} == {"PRUNED", "COMPLETE"}


def test_another_study_runs_what_was_stopped(
    study: Path, store: RecordStore, write_study: WriteStudy
) -> None:
    """A grid or list has neither stopped trials nor a hint of them, and its results serve the search too."""
    before = rows(store)
    stopped = {key[0] for key, row in before.items() if row["status"] == Status.PRUNED}
    listed = as_list(write_study, study, store)
    plan = planned(listed, store)
    assert {trial.keys.trial_id for trial in plan.missing} == stopped
    assert plan.counts()["pruned"] == 0
    assert set(run(listed, store)) == stopped
    after = rows(store)
    assert {key for key in after if key not in before} == {(trial_id, 1) for trial_id in stopped}
    plan = planned(listed, store)
    assert (plan.counts()["ok"], plan.counts()["missing"]) == (24, 0)
    assert {row["status"] for row in plan.records.table.to_pylist()} == {"ok"}
    assert {row["steps_done"] for row in plan.records.table.to_pylist()} == {27}
    searched = planned(study, store)
    assert (searched.counts()["ok"], searched.counts()["missing"]) == (24, 0)
    assert run(study, store) == []


def test_searches_do_not_take_each_others_stops(
    study: Path, store: RecordStore, write_study: WriteStudy
) -> None:
    """A search uses no stops of another study with the same trials, nor of another rule, and both searches end."""
    stopped = {key[0] for key, row in rows(store).items() if row["status"] == Status.PRUNED}
    other = write_study(
        *SEARCHED, search(sampler="tpe"), ('name = "tiny"', 'name = "other"'), name="other.toml"
    )
    ran = run(other, store)
    shared = stopped & {trial.keys.trial_id for trial in planned(other, store).trials}
    assert len(shared) > 5
    assert shared <= set(ran)
    again = [row for key, row in rows(store).items() if key[1] == 1]
    assert {row["pruned_by"].split()[0] for row in again if row["status"] == Status.PRUNED} == {"other:"}
    assert run(study, store) == run(other, store) == []
    assert planned(study, store).counts()["missing"] == planned(other, store).counts()["missing"] == 0
    without = write_study(*SEARCHED, search(stopping=None, sampler="tpe"))
    assert planned(without, store).counts()["pruned"] == 0
    gentler = write_study(*SEARCHED, search("{ eta = 2, min_resource = 9 }", sampler="tpe"))
    assert planned(gentler, store).undecided == 24  # another search


def test_a_merge_brings_results_where_there_were_stops(
    study: Path, store: RecordStore, write_study: WriteStudy, tmp_path: Path
) -> None:
    listed = as_list(write_study, study, store)
    target = RecordStore(tmp_path / "target")
    run(listed, target)
    stops = sum(row["status"] == Status.PRUNED for row in rows(store).values())
    report = merge_stores([target], store, frozenset())
    assert report.copied == stops
    assert planned(listed, store).counts()["ok"] == 24
    report = merge_stores([store], target, frozenset())
    assert (report.copied, report.failures) == (0, stops)


def test_commands_count_and_show_what_was_stopped(
    study: Path, store: RecordStore, write_study: WriteStudy
) -> None:
    stopped = sorted(key[0] for key, row in rows(store).items() if row["rung"] is not None)
    options = ("--store", store.path)
    status = invoke("status", study, *options).output
    assert f"{sum(row['status'] == Status.PRUNED for row in rows(store).values())}  pruned" in status
    assert "Nothing is missing" in invoke("plan", study, *options).output
    assert "none of the 24 recorded trials failed" in invoke("failures", study, *options).output
    shown = " ".join(invoke("show", stopped[0], *options).output.split())
    assert "pruned" in shown
    assert "configurations at rung" in shown
    ran = invoke("run", study, *options, "--runner", "inline")
    assert ran.exit_code == 0
    assert "nothing to run" in ran.output
    assert "pruned:" not in ran.output  # no failure
    verified = invoke("verify", study, *options, "--sample", "1")
    assert (
        f"1 of {24 - sum(row['status'] == Status.PRUNED for row in rows(store).values())} finished"
        in verified.output
    )
    assert "reproduce" in verified.output
    whole = invoke("trial", study, stopped[0], *options)
    assert whole.exit_code == 0
    assert "val_probe10_accuracy" in whole.output
    assert "differs" not in whole.output
    assert "nothing to run again" in invoke("retry", study, "--status", "crashed", *options).output.replace(
        "\n", " "
    )


@pytest.mark.slow
@pytest.mark.ray
def test_two_workers_see_each_others_scores(write_study: WriteStudy, tmp_path: Path) -> None:
    study, store = write_study(*SEARCHED, search()), RecordStore(tmp_path / "store")
    output, _ = (process := start(study, store.path)).communicate(timeout=240)
    assert process.returncode == 0, output
    plan = planned(study, store)
    counts = plan.counts()
    assert (counts["ok"] + counts["pruned"], counts["missing"]) == (24, 0)
    by_rate = sorted((row["hp_lr"], row["status"]) for row in plan.records.table.to_pylist())
    assert sum(status == Status.PRUNED for _, status in by_rate[:12]) >= 8
    assert counts["ok"] >= 2
    assert "stopped early" in output
    assert {trial.state.name for trial in told(store)["ntxent"]} == {"PRUNED", "COMPLETE"}
    second = invoke("run", study, "--store", store.path)
    assert "nothing to run" in second.output


ONE_BUDGET = "search.early_stopping: needs one budget, in [training]"
FAULTS = {
    "of a grid": ((("[axes]", f"[search]\nearly_stopping = {RULE}\n[axes]"),), "early_stopping is for design optuna"),
    "eta": ((search("{ eta = 1, min_resource = 3 }"),), "search.early_stopping.eta: got 1"),
    "no rung": ((search("{ eta = 3 }"),), "search.early_stopping.min_resource: is missing"),
    "rung 0": ((search("{ min_resource = 0 }"),), "search.early_stopping.min_resource: got 0"),
    "half a rung": ((search("{ min_resource = 1.5 }"),), "search.early_stopping.min_resource: got 1.5"),
    "above the budget": (
        (search("{ min_resource = 30 }"),),
        "search.early_stopping.min_resource: got 30, must be below the budget, training.steps = 27",
    ),
    "the whole budget": ((search("{ min_resource = 27 }"),), "got 27, must be below the budget"),
    "unknown key": (
        (search("{ eta = 3, grace_period = 3 }"),),
        "search.early_stopping.grace_period: unknown key; allowed are eta, min_resource",
    ),
    "a number": ((search("3"),), "search.early_stopping"),
    "swept budget": ((search(), ("batch_size = [16]", "batch_size = [16]\nsteps = [9, 27]")), ONE_BUDGET),
    "budget of a loss": ((search(), ("[losses.ntxent]", "[losses.ntxent]\nsteps = 81")), ONE_BUDGET),
    "gp": ((search(sampler="gp"),), "early_stopping is for samplers tpe and random"),
    "no trials": ((search(trials=0),), "search.trials: got 0"),
}  # fmt: skip


@pytest.mark.parametrize(("replacements", "words"), FAULTS.values(), ids=FAULTS)
def test_bad_input_is_one_clear_line(
    replacements: Sequence[tuple[str, str]], words: str, write_study: WriteStudy, tmp_path: Path
) -> None:
    result = invoke("run", write_study(*SEARCHED, *replacements), "--store", tmp_path / "store")
    assert result.exit_code == 2
    (line,) = result.output.strip().splitlines()
    assert words in line
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
def test_the_price_of_a_search_that_stops_early_is_the_most_it_can_be(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    """Prices are of full lengths, which a plan says."""
    told = invoke("plan", write_study(*SEARCHED, search(trials=2)), "--store", tmp_path / "store")
    assert told.exit_code == 0
    assert "The search stops trials early" in told.output
