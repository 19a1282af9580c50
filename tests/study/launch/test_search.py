"""A search spends its budget on configurations that follow from the seed, and no stop or edit loses any."""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from optuna.trial import TrialState

from search_spaces.optuna_adapter import Pruned
from study.cli.main import main
from study.cost.model import CostModel
from study.launch.launch import Launch
from study.launch.search.loop import batch_size, run_search, settle
from study.launch.search.scores import configuration_score
from study.plan import status_summary
from study.searches import journal_path
from study.spec.expand import expand, planned_rows
from study.spec.load import load_spec
from tests.study.conftest import WriteStudy
from tests.study.launch.launching import Silence, planned
from tests.study.launch.searching import RANGES, Pretence, points, search, told, told_states
from tests.waiting import wait_until
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.work import LaunchContext

SEEDS = "seeds = [0, 1]"


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "store")


def run(study: Path, store: RecordStore, runner: Pretence | None = None, workers: int = 1) -> Pretence:
    runner = runner or Pretence()
    plan = planned(study, store)
    launch = Launch(
        plan=plan,
        store=store,
        context=LaunchContext(store=store, runtime=Runtime(), at_once=plan.spec.resources.trials_a_gpu),
        workers=workers,
        runner=runner,
        costs=CostModel(task=plan.trial_set.task),
        listeners=[Silence()],
    )
    run_search(launch, alone=lambda: True)
    return runner


def test_a_search_spends_its_budget(write_study: WriteStudy, store: RecordStore) -> None:
    study = write_study(*RANGES, search(trials=5, startup=2))
    before = planned(study, store)
    assert before.counts()["missing"] == before.counts()["trials"] == 2 * 5 * 2
    assert status_summary(before)["undecided"] == 20
    assert not store.path.exists()  # a plan writes nothing
    assert len(run(study, store).ids) == 20
    after = planned(study, store)
    assert after.counts()["missing"] == after.undecided == 0
    assert after.counts_by_arm()["kcl"] == {"trials": 10, "done": 10, "missing": 0}
    assert told_states(store) == {TrialState.COMPLETE}
    assert {row["design"] for row in planned_rows(after.trial_set)} == {"optuna"}


def test_told_is_the_mean_validation_score_over_seeds(write_study: WriteStudy, store: RecordStore) -> None:
    run(write_study(*RANGES, search(trials=6)), store)
    trials = told(store)
    assert {trial.params["kernel"] for trial in trials["kcl"]} == {"gaussian", "imq"}
    for trial in [*trials["ntxent"], *trials["kcl"]]:
        diverged = trial.params.get("kernel") == "imq"
        expected = 0.1 if diverged else 0.9 - trial.params["batch_size"] / 100 + 0.025
        assert trial.value == pytest.approx(expected)


def row(status: str = "ok", value: float | None = 0.8, rank: float | None = 5.0) -> dict[str, Any]:
    return {"status": status, "val_knn_accuracy": value, "h_effective_rank": rank}


def stopped(rung: int | None, score: float | None) -> dict[str, Any]:
    return row("pruned", None, None) | {"rung": rung, "rung_score": score}


SCORES = {
    "mean": ([row(), row(value=0.6)], pytest.approx(0.7)),
    "a seed without a record": ([row(), None], None),
    "diverged": ([row(), row("diverged", None)], pytest.approx(0.45)),
    "crashed": ([row("crashed", None), row("oom", None)], pytest.approx(0.1)),
    "collapsed": ([row(rank=1.1)], pytest.approx(0.1)),
    "not a number": ([row(value=float("nan"))], pytest.approx(0.1)),
    "stopped": ([row(), stopped(3, 0.3)], Pruned(rung=3, score=0.3)),
    "stopped in turn": ([stopped(3, 0.3), stopped(None, None)], Pruned(rung=3, score=0.3)),
    "stopped at once": ([stopped(1, 0.9), stopped(3, 0.25), stopped(3, 0.75)], Pruned(rung=3, score=0.5)),
    "stopped before": ([row(), stopped(None, None)], Pruned()),
    "nothing": ([], None),
}


@pytest.mark.parametrize(("rows", "expected"), SCORES.values(), ids=SCORES)
def test_the_score_of_a_configuration(rows: Iterable[Any], expected: Any) -> None:
    assert configuration_score(list(rows), "val_knn_accuracy", 0.1) == expected


def test_the_same_trials_as_a_list_of_the_same_points(write_study: WriteStudy, store: RecordStore) -> None:
    run(write_study(*RANGES, search(trials=3)), store)
    (found, _) = points(write_study(*RANGES, search(trials=3)), store)
    listed = ", ".join(
        "{ " + ", ".join(f"{name} = {value}" for name, value in point.items()) + " }" for point in found
    )
    study = write_study(
        ("temperature = [0.1, 0.5]", f"points = [{listed}]"),
        ("[losses.kcl]\nt = [2.0]\n", ""),
        search(design="list"),
    )
    assert planned(study, store).counts()["missing"] == 0


@pytest.mark.parametrize("workers", [1, 8])
def test_a_stopped_search_continues_as_if_it_had_not_been(
    workers: int, write_study: WriteStudy, store: RecordStore, tmp_path: Path
) -> None:
    study = write_study(*RANGES, search(trials=6, startup=2))
    whole = RecordStore(tmp_path / "whole")
    run(study, whole, workers=workers)
    with pytest.raises(KeyboardInterrupt):
        run(study, store, Pretence(rounds=1), workers)
    assert TrialState.RUNNING not in told_states(store)
    done = set(store.read().statuses())
    assert 0 < planned(study, store).counts()["missing"] < 24
    runner = run(study, store, workers=workers)
    assert not done & set(runner.ids)
    assert len(done) + len(runner.ids) == 24
    assert points(study, store) == points(study, whole)
    assert TrialState.RUNNING not in told_states(store)


def test_more_trials_go_on_and_fewer_leave_out(
    write_study: WriteStudy, store: RecordStore, tmp_path: Path
) -> None:
    few, many = (search(trials=count, startup=2) for count in (3, 6))
    run(write_study(*RANGES, few), store)
    first = points(write_study(*RANGES, few), store)
    assert len(run(write_study(*RANGES, many), store).ids) == 2 * 3 * 2
    grown = points(write_study(*RANGES, many), store)
    run(write_study(*RANGES, many), RecordStore(tmp_path / "whole"))
    assert grown == points(write_study(*RANGES, many), RecordStore(tmp_path / "whole"))
    assert [arm[:3] for arm in grown] == first
    assert points(write_study(*RANGES, few), store) == first
    assert run(write_study(*RANGES, few), store).ids == []


def test_more_seeds_run_for_what_was_decided(write_study: WriteStudy, store: RecordStore) -> None:
    run(write_study(*RANGES, search(trials=3)), store)
    study = write_study(*RANGES, search(trials=3), (SEEDS, "seeds = [0, 1, 2]"))
    assert len(planned(study, store).missing) == 6
    assert len(run(study, store).ids) == 6
    assert planned(study, store).counts()["missing"] == 0


def test_a_lost_journal_is_made_again_from_the_records(write_study: WriteStudy, store: RecordStore) -> None:
    study = write_study(*RANGES, search(trials=5, startup=2))
    run(study, store)
    before = points(study, store)
    journal_path(store.path, "tiny").unlink()
    assert planned(study, store).undecided == 20
    assert run(study, store).ids == []
    assert points(study, store) == before


def test_what_was_not_told_at_the_end_is_told_later(write_study: WriteStudy, store: RecordStore) -> None:
    """A launch was killed after the last record, before Optuna received its score."""
    study = write_study(*RANGES, search(trials=2))
    run(study, store)
    journal = journal_path(store.path, "tiny")
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    assert TrialState.RUNNING in told_states(store)
    plan = planned(study, store)
    assert plan.counts()["missing"] == 0
    settle(plan, store, alone=lambda: True)
    assert [trial.state.name for trial in told(store)["kcl"]] == ["COMPLETE", "FAIL", "COMPLETE"]


@pytest.mark.parametrize("linked", ["the journal", "its folder"])
@pytest.mark.parametrize("command", ["run", "status", "plan", "report"])
def test_a_link_in_a_store_leads_no_search_out_of_it(
    command: str, linked: str, write_study: WriteStudy, store: RecordStore, tmp_path: Path
) -> None:
    store.prepare()
    journal, outside = journal_path(store.path, "tiny"), tmp_path / "outside"
    outside.mkdir()
    victim = outside / journal.name
    victim.write_text("no line break at the end")
    if linked == "the journal":
        journal.parent.mkdir(parents=True)
        journal.symlink_to(victim)
    else:
        journal.parent.parent.mkdir(parents=True)
        journal.parent.symlink_to(outside)
    study = write_study(*RANGES, search(trials=2))
    options = ["--runner", "inline"] if command == "run" else []
    result = CliRunner().invoke(main, [command, str(study), "--store", str(store.path), *options])
    (line,) = result.stderr.strip().splitlines()
    assert result.exit_code == 2
    assert f"{journal if linked == 'the journal' else journal.parent} is a link" in line
    assert victim.read_text() == "no line break at the end"
    assert [path.name for path in outside.iterdir()] == [journal.name]


def test_a_foreign_configuration_is_one_line_that_names_the_journal(
    write_study: WriteStudy, store: RecordStore
) -> None:
    study = write_study(*RANGES, search(trials=1))
    run(study, store)
    journal = journal_path(store.path, "tiny")
    journal.write_text(re.sub(r'"batch_size":\d+,', '"batch_size":-5,', journal.read_text()))
    for command in ("status", "plan", "run"):
        result = CliRunner().invoke(main, [command, str(study), "--store", str(store.path)])
        (line,) = result.stderr.strip().splitlines()
        assert result.exit_code == 2
        assert f"store: {journal} is damaged (a configuration has batch_size = -5" in line
        assert "move the journal away to start the search again" in line


def test_few_choices_end_too(write_study: WriteStudy, store: RecordStore) -> None:
    """A configuration that the search repeats takes its score from the records and counts towards the budget."""
    study = write_study(("t = [2.0]", "t = [2.0, 4.0]"), search(trials=12, startup=2))
    ids = run(study, store).ids
    assert len(ids) == len(set(ids)) <= 2 * 4 * 2
    assert planned(study, store).counts()["missing"] == 0
    assert {len(trials) for trials in told(store).values()} == {12}


def test_two_losses_may_come_upon_one_trial(write_study: WriteStudy, store: RecordStore) -> None:
    study = write_study(("t = [2.0]", 't = [2.0]\n[losses.twin]\nloss = "kcl"\nt = [2.0]'), search(trials=4))
    ids = run(study, store).ids
    assert len(ids) == len(set(ids))
    assert planned(study, store).counts()["missing"] == 0


def test_an_edited_range_begins_another_search(write_study: WriteStudy, store: RecordStore) -> None:
    run(write_study(*RANGES, search(trials=3)), store)
    wider = ("temperature = [0.1, 0.5]", "temperature = { log = [0.05, 2.0] }")
    counts = planned(write_study(wider, RANGES[1], search(trials=3)), store).counts_by_arm()
    assert counts["ntxent"] == {"trials": 6, "done": 0, "missing": 6}
    assert counts["kcl"] == {"trials": 6, "done": 6, "missing": 0}


def test_as_many_are_asked_for_as_keep_workers_busy(write_study: WriteStudy, store: RecordStore) -> None:
    spec = load_spec(str(write_study(*RANGES, search(trials=4)))).spec
    assert [batch_size(spec, workers) for workers in (1, 4, 5, 16)] == [1, 1, 2, 4]
    study = write_study(*RANGES, search(trials=6, batch=2))
    assert run(study, store, workers=1).lists == 3


@pytest.mark.parametrize(("gpus_per_trial", "rounds"), [("1", 4), ("0.25", 2), ('"auto"', 1)])
def test_as_many_are_asked_for_as_share_a_gpu(
    gpus_per_trial: str, rounds: int, write_study: WriteStudy, store: RecordStore
) -> None:
    """Each round asks for one, two or four configurations of both losses: two, four or eight trials."""
    resources = ("[axes]", f"[resources]\ngpus_per_trial = {gpus_per_trial}\n[axes]")
    study = write_study(*RANGES, search(trials=4), (SEEDS, "seeds = [0]"), resources)
    runner = run(study, store)
    assert len(runner.ids) == 8
    assert runner.lists == rounds


@pytest.mark.slow
def test_every_command_knows_a_search(write_study: WriteStudy, store: RecordStore) -> None:
    """From the file to the report, with real training."""
    study = str(write_study(*RANGES, search(trials=2), (SEEDS, "seeds = [0]")))
    runner, where = CliRunner(), ["--store", str(store.path)]

    def call(command: str, *options: str) -> Any:
        return runner.invoke(main, [command, study, *where, *options])

    assert "4 of the missing trials have configurations" in " ".join(call("plan").output.split())
    assert "its search has not begun" in call("report").output
    assert "has not begun" in call("trial").output
    ended = call("run", "--runner", "inline", "--workers", "1")
    assert ended.exit_code == 0, ended.output
    assert "4 of 4 trials done" in ended.output
    assert "4  ok" in call("status").output
    assert call("report").exit_code == 0
    assert "nothing to run" in call("run", "--runner", "inline").output


@pytest.mark.chaos
def test_a_search_survives_its_driver(write_study: WriteStudy, store: RecordStore) -> None:
    """SIGKILL once something is told: what was recorded is not run again, and nothing stays running."""
    study = str(write_study(*RANGES, search(trials=6, startup=2), (SEEDS, "seeds = [0]")))
    options = ["run", study, "--runner", "inline", "--store", str(store.path)]
    command = [sys.executable, "-c", "from study.cli.main import main; main()", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as driver:
        wait_until(lambda: driver.poll() is not None or len(store.read().statuses()) >= 3, seconds=120)
        driver.kill()
    before = store.read().table.to_pylist()
    assert 3 <= len(before) < 12
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
    after = {row["trial_id"]: row for row in store.read_all().table.to_pylist()}
    assert len(after) == store.read_all().table.num_rows == 12
    assert all(after[row["trial_id"]]["started_at"] == row["started_at"] for row in before)
    assert told_states(store) <= {TrialState.COMPLETE, TrialState.FAIL}


FAULTS = {
    "empty budget": (search(trials=0), ["search.trials", "0", "must be at least 1"]),
    "no budget": (search(), ["search", "trials is missing", "optuna"]),
    "unknown sampler": (search(trials=4, sampler="cmaes"), ["search.sampler", "cmaes", "tpe"]),
    "sampler of a grid": (search(design="grid", sampler="tpe"), ["search", "sampler is for design optuna", "grid"]),
    "budget of sobol": (search(design="sobol", points=4, trials=4), ["search", "trials is for design optuna"]),
    "points": (search(trials=4, points=4), ["search", "points is for designs sobol and random", "optuna"]),
    "start of random": (search(trials=4, sampler="random", startup=3), ["search", "startup", "random"]),
    "batch size beyond the data": (
        (
            "[axes]\nbatch_size = [8, 16]",
            "[search]\ndesign = 'optuna'\ntrials = 2\n[axes]\nbatch_size = { log = [8, 900] }",
        ),
        ["axes.batch_size", "900", "2 to"],
    ),
    "value that the loss refuses": (
        ("temperature = [0.1, 0.5]", "temperature = { linear = [-1.0, 1.0] }"),
        ["losses.ntxent", "temperature", "-1"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("replacement", "words"), FAULTS.values(), ids=FAULTS)
def test_bad_input_is_one_clear_line(
    replacement: tuple[str, str], words: list[str], write_study: WriteStudy, tmp_path: Path
) -> None:
    more = () if "[axes]" in replacement[0] else (search(trials=2),)
    result = CliRunner().invoke(
        main, ["run", str(write_study(replacement, *more)), "--store", str(tmp_path / "store")]
    )
    assert result.exit_code == 2
    (line,) = result.output.strip().splitlines()
    for word in words:
        assert word in line
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("metric", "probe", "chance"),
    [
        ("probe10_accuracy", "probe10", 1 / 10),
        ("retrieval_accuracy", "retrieval", 1 / 60),
        ("retrieval_released_z_accuracy", "retrieval_released_z", 1 / 8),
    ],
)
def test_guessing_scores_what_chance_does(
    metric: str, probe: str, chance: float, write_study: WriteStudy
) -> None:
    path = write_study(('"probe10_accuracy"', f'"{metric}"'), ('["probe10"]', f'["{probe}"]'))
    assert expand(load_spec(str(path)).spec, None).task.metric(pd.DataFrame()).worst == pytest.approx(chance)
