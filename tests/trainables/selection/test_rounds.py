"""Rounds of selection have the stated defaults and limits, and spend exactly their budget."""

import dataclasses
import math
import subprocess
import sys

import pytest

from trainables.config import SelectionConfig, TrainingConfig
from trainables.selection.kinds import METHODS
from trainables.selection.rounds import MOST_SUBSETS, Round, relative_step_cost, resolve_round, step_count


def numbers(n: int, batch_size: int, **config: object) -> Round:
    return resolve_round(SelectionConfig(**config), n, batch_size)


def test_defaults_are_the_papers_at_its_sizes_and_fit_smaller_sets() -> None:
    assert numbers(50_000, 32, method="osgd") == Round(pool=1500, keep=150, refresh=150, looks=True)
    assert numbers(50_000, 32, method="spectral") == Round(pool=40, keep=40, refresh=40, looks=True)
    assert numbers(8, 2, method="osgd") == Round(pool=4, keep=1, refresh=1, looks=True)
    assert numbers(9, 2, method="spectral") == Round(pool=4, keep=4, refresh=4, looks=True)


def test_a_round_of_the_others_is_one_pass() -> None:
    passes = {"full": 1, "fixed": 4, "shuffle": 4, "all_subsets": math.comb(9, 2)}
    for method, batches in passes.items():
        assert numbers(9, 2, method=method) == Round(pool=batches, keep=batches, refresh=batches, looks=False)


@pytest.mark.parametrize(
    ("n", "batch_size", "config", "message"),
    [
        (8, 9, {}, "batch_size: got 9, must be from 1 to 8, the number of pairs"),
        (8, 0, {}, "batch_size: got 0, must be from 1 to 8"),
        (8, 2, {"method": "best"}, "selection.method: got 'best'; allowed are full, fixed, shuffle, all_subsets"),
        (8, 2, {"pool": 3}, "selection.pool: got 3; shuffle takes none"),
        (8, 2, {"method": "full", "keep": 3}, "selection.keep: got 3; full takes none"),
        (8, 2, {"method": "osgd", "pool": 3, "keep": 4}, "selection.osgd_keep: got 4 of a pool of 3, .*: q <= k"),
        (8, 2, {"method": "osgd", "keep": 0}, "selection.osgd_keep: got 0 of a pool of 4"),
        (8, 2, {"method": "osgd", "pool": 29}, "selection.osgd_pool: got 29, must be from 1 to 28, the batches of 2"),
        (8, 2, {"method": "osgd", "pool": 0}, "selection.osgd_pool: got 0, must be from 1 to 28"),
        (8, 2, {"method": "osgd", "pool": 4, "keep": 2, "refresh": 3}, "refresh: got 3, must be a multiple of the 2"),
        (9, 2, {"method": "spectral", "pool": 5}, "selection.spectral_pool: got 5, must be from 1 to 4, the batches"),
        (8, 2, {"method": "spectral", "pool": 4, "keep": 2}, "spectral trains on all, q = k"),
        (40, 20, {"method": "all_subsets"}, f"40 pairs have 137846528820 batches of 20; at most {MOST_SUBSETS}"),
        (50_000, 32, {"method": "all_subsets"}, r"50000 pairs have 8\.7\d\de\+114 batches of 32"),
    ],
)  # fmt: skip
def test_bad_numbers_are_one_clear_line(
    n: int, batch_size: int, config: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as error:
        numbers(n, batch_size, **config)
    assert "\n" not in str(error.value)


def training(**budget: int) -> TrainingConfig:
    return TrainingConfig(batch_size=10, lr=0.1, **budget)


def test_equal_steps_are_equal_whatever_is_selected() -> None:
    for method in METHODS:
        assert step_count(training(steps=7), SelectionConfig(method=method), 200) == 7
        assert step_count(training(epochs=2), SelectionConfig(method=method), 200) == 40


def test_a_budget_in_samples_pays_for_embeddings_too() -> None:
    """A round of 6 candidates and 2 steps is 80 images; the last one is begun where a step can be paid."""
    osgd = SelectionConfig(method="osgd", pool=6, keep=2)
    paid = {
        samples: step_count(training(samples=samples), osgd, 200) for samples in (60, 70, 80, 130, 150, 160)
    }
    assert paid == {60: 0, 70: 1, 80: 2, 130: 2, 150: 3, 160: 4}
    assert step_count(training(samples=160), SelectionConfig(), 200) == 16


def test_a_longer_refresh_is_paid_in_advance() -> None:
    osgd = SelectionConfig(method="osgd", pool=6, keep=2, refresh=4)
    paid = {samples: step_count(training(samples=samples), osgd, 200) for samples in (120, 130, 160, 290)}
    assert paid == {120: 0, 130: 1, 160: 4, 290: 5}


def test_a_step_costs_its_share_of_the_passes_without_gradient() -> None:
    osgd = SelectionConfig(method="osgd", pool=6, keep=2)
    assert relative_step_cost(osgd, 200, 10) == pytest.approx(1 + 3 / 3)
    assert relative_step_cost(dataclasses.replace(osgd, refresh=8), 200, 10) == pytest.approx(2)
    assert relative_step_cost(SelectionConfig(method="spectral"), 200, 10) == pytest.approx(4 / 3)
    assert relative_step_cost(SelectionConfig(method="all_subsets"), 20, 2) == 1


def test_planning_needs_no_torch() -> None:
    code = "import sys, trainables.selection.rounds; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
