"""Asynchronous successive halving: the rule, its rungs, and how trials see each other's scores."""

import dataclasses
import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import optuna
import pytest

from tests.trainables.stopping import rule, rungs
from tests.trainables.tiny_trial import example
from trainables.config import SelectionConfig, TrainingConfig
from trainables.early_stopping import Stop, goes_on, rung_levels, rung_steps


@pytest.mark.parametrize("eta", [2, 3, 4, 7])
def test_goes_on_equals_sorting_all(eta: int) -> None:
    """The brute force: sort what there is, cut off the best n // eta, at least one, and look for the score."""
    generator = np.random.default_rng(eta)
    for _ in range(300):
        scores = generator.integers(0, 12, size=generator.integers(1, 30)) / 12  # with ties
        best = sorted(scores, reverse=True)[: max(1, len(scores) // eta)]
        assert goes_on(scores[-1], scores[:-1], eta) == (scores[-1] in best)


def test_the_first_and_the_best_go_on() -> None:
    assert goes_on(0.1, [], 3)
    assert goes_on(0.2, [0.1], 3)
    assert not goes_on(0.1, [0.2], 3)


def test_levels() -> None:
    assert rung_levels(10, 1, 3) == [1, 3, 9]
    assert rung_levels(9, 1, 3) == [1, 3]  # the end of the budget is no rung
    assert rung_levels(100, 7, 2) == [7, 14, 28, 56]
    assert rung_levels(5, 5, 2) == []


@pytest.mark.parametrize(
    ("budget", "first", "expected"),
    [
        ({"epochs": 9}, 1, {6: 1, 12: 2, 24: 4, 48: 8}),  # 100 images in batches of 16: 6 steps an epoch
        ({"steps": 9}, 2, {2: 2, 4: 4, 8: 8}),
        ({"samples": 200}, 40, {2: 40, 5: 80, 10: 160}),  # 12 steps
        ({"samples": 200}, 10, {1: 20, 2: 40, 5: 80, 10: 160}),  # 10 images are no step
        ({"samples": 33}, 1, {1: 16}),  # 32 images are the whole budget's 2 steps
    ],
    ids=str,
)
def test_rungs_lie_after_whole_steps(budget: dict[str, int], first: int, expected: dict[int, int]) -> None:
    training = TrainingConfig(batch_size=16, lr=0.1, **budget)  # type: ignore[arg-type]
    task = dataclasses.replace(example().task, training=training)
    assert rung_steps(task, 100, rule(min_resource=first)) == expected


def test_rungs_in_images_count_those_that_a_selection_looks_at() -> None:
    """Ordered SGD embeds 4 batches for each that it trains: 5 batches of images are one step."""
    training = TrainingConfig(batch_size=10, lr=0.1, samples=1000)
    selection = SelectionConfig(method="osgd", pool=4, keep=1)
    task = dataclasses.replace(example().task, training=training, selection=selection)
    assert rung_steps(task, 100, rule(min_resource=250)) == {5: 250, 10: 500}


def test_stops_as_optunas_pruner_does(tmp_path: Path) -> None:
    """Trials one after another: stopped at the same rungs as by `SuccessiveHalvingPruner`."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    curves = np.random.default_rng(0).random((40, 3)).round(2)
    ended = {None: 0, 1: 0, 2: 0, 4: 0}
    for number, curve in enumerate(curves):
        trial, ours, theirs = study.ask(), None, None
        for step, score in zip((1, 2, 4), curve.tolist(), strict=True):
            trial.report(score, step)
            theirs = step if trial.should_prune() else None
            stop = rungs(tmp_path, f"c{number}", score).stop_at(step, None)
            ours = stop.rung if stop else None
            assert ours == theirs
            if stop:
                break
        study.tell(trial, state=optuna.trial.TrialState.PRUNED if ours else None, values=None if ours else 0)
        ended[ours] += 1
    assert all(ended.values())  # each happened


def test_seeds_count_by_their_mean(tmp_path: Path) -> None:
    assert rungs(tmp_path, "a", 0.6, seed=0).stop_at(1, None) is None
    assert rungs(tmp_path, "a", 0.4, seed=1).stop_at(1, None) is None  # 0.5 on average, and alone
    assert rungs(tmp_path, "b", 0.55, seed=0).stop_at(1, None) is None
    stop = rungs(tmp_path, "b", 0.35, seed=1).stop_at(1, None)  # 0.45 on average, second of two
    assert stop is not None
    assert (stop.rung, stop.score, stop.search) == (1, 0.35, "tiny: ntxent (0)")
    assert stop.reason == "place 2 of 2 configurations at rung 1, score 0.4500"


def test_one_stopped_seed_stops_the_others(tmp_path: Path) -> None:
    assert rungs(tmp_path, "good", 0.9).stop_at(1, None) is None
    waiting, ahead, own = (rungs(tmp_path, "bad", 0.8, seed=seed) for seed in (1, 2, 0))
    assert waiting.stop_before() is None
    assert own.stop_at(1, None)
    reason = "its configuration was stopped by seed 0"
    assert waiting.stop_before() == Stop(reason=reason, search="tiny: ntxent (0)")
    late = ahead.stop_at(2, None)  # the best there, but no configuration any more
    assert late == Stop(reason=reason, search="tiny: ntxent (0)", rung=2, score=0.8)
    assert own.stop_before() is None  # killed before its record: it trains to the rung and is judged again
    assert own.stop_at(1, None)


def test_searches_are_apart(tmp_path: Path) -> None:
    assert rungs(tmp_path, "a", 0.9).stop_at(1, None) is None
    assert rungs(tmp_path, "b", 0.1, folder="studies/tiny/rungs/1").stop_at(1, None) is None
    assert rungs(tmp_path, "b", 0.1).stop_at(2, None) is None  # the first at its rung
    assert rungs(tmp_path, "b", 0.1).stop_at(1, None) is not None


def test_a_score_stands_as_it_was_told_first(tmp_path: Path) -> None:
    """A trial that runs again after its worker was killed, elsewhere and with other last bits."""
    rungs(tmp_path, "a", 0.5).stop_at(1, None)
    rungs(tmp_path, "b", 0.6).stop_at(1, None)
    assert rungs(tmp_path, "b", 0.4).stop_at(1, None) is None


def test_a_model_without_a_score_goes_on(tmp_path: Path) -> None:
    rungs(tmp_path, "a", 0.9).stop_at(1, None)
    assert rungs(tmp_path, "b", math.nan).stop_at(1, None) is None
    assert rungs(tmp_path, "c", 0.95).stop_at(1, None) is None
    assert len(list((tmp_path / "studies/tiny/rungs/0/1").iterdir())) == 2


def test_a_store_that_fails_costs_no_trial(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "studies").write_text("no folder")
    bad = rungs(tmp_path, "a", 0.1)
    assert bad.stop_before() is None
    assert bad.stop_at(1, None) is None
    assert "the trial continues" in caplog.text


def _climb(store: Path, configuration: str) -> int | None:
    """A trial in a process of its own; its score is its number."""
    stop = rungs(store, configuration, float(configuration)).stop_at(1, None)
    return stop.rung if stop else None


def test_processes_see_each_other(tmp_path: Path) -> None:
    """Whatever the order: the best always goes on, and who comes last sees all others."""
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as pool:
        ended = list(pool.map(_climb, [tmp_path] * 12, [str(number) for number in range(12)]))
    assert ended[-1] is None
    assert rungs(tmp_path, "late", 6.5).stop_at(1, None) is None  # place 6 of 13
    assert rungs(tmp_path, "later", 5.5).stop_at(1, None) is not None  # place 8 of 14
