"""Repeated trials against seed noise: the numbers equal a loop's, and the sentences say what differs."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from analysis.beside import Beside, repeats
from analysis.report.sections.trials.beside import beside_sentences
from analysis.study_analysis import analyse
from tests.analysis import synthetic


def rows(scores: dict[tuple[str, str], list[float]]) -> pd.DataFrame:
    """A row for each seed of each (arm, configuration)."""
    return pd.DataFrame(
        [
            {"arm": arm, "config_id": config, "seed": seed, "score": score}
            for (arm, config), values in scores.items()
            for seed, score in enumerate(values)
        ]
    )


def test_repeats_equal_a_loop() -> None:
    generator = np.random.default_rng(0)
    scores = {
        ("a", "x"): generator.normal(0.5, 0.01, 3).tolist(),
        ("a", "y"): generator.normal(0.7, 0.03, 5).tolist(),
        ("b", "x"): generator.normal(0.4, 0.02, 2).tolist(),
        ("b", "z"): [0.9],  # one seed: no variance
    }
    squares, degrees = 0.0, 0
    for values in scores.values():
        mean = sum(values) / len(values)
        squares += sum((value - mean) ** 2 for value in values)
        degrees += len(values) - 1
    repeated = pd.DataFrame(
        {"arm": ["a", "a", "b", "b"], "came": [0.5, 0.7, 0.4, 0.4], "here": [0.51, 0.66, 0.4, math.nan]}
    )
    found = repeats(repeated, rows(scores), "score")
    assert (found.count, found.failed) == (3, 1)
    assert found.mean == pytest.approx((0.01 - 0.04 + 0.0) / 3)
    assert found.largest == pytest.approx(0.04)
    assert found.noise == pytest.approx(math.sqrt(squares / degrees))


def test_failed_trials_do_not_count_as_noise() -> None:
    found = repeats(
        pd.DataFrame({"arm": ["a"], "came": [0.5], "here": [math.nan]}),
        rows({("a", "x"): [0.5, math.nan, 0.6]}),
        "score",
    )
    assert (found.count, found.failed) == (0, 1)
    assert math.isnan(found.mean)
    assert math.isnan(found.largest)
    assert found.noise == pytest.approx(math.sqrt(2 * 0.05**2))


def test_one_seed_has_no_noise() -> None:
    repeated = pd.DataFrame({"arm": ["a"], "came": [0.5], "here": [0.5]})
    assert math.isnan(repeats(repeated, rows({("a", "x"): [0.5]}), "score").noise)


@pytest.mark.parametrize(("arms", "words"), [(2, "other loss"), (3, "other 2 losses")])
def test_one_other_loss_is_singular(arms: int, words: str) -> None:
    losses = [synthetic.arm_info(name) for name in ("ntxent", "dcl", "infonce")[:arms]]
    planned = synthetic.plan(losses, seeds=range(2), batch_sizes=(8,), values=(0.5,))
    records = planned.drop(columns="arm").assign(
        status="ok", test_probe10_accuracy=0.5, val_probe10_accuracy=0.5
    )
    found = analyse(planned, records, synthetic.study_info(losses, seeds=range(2)))
    repeated = pd.DataFrame({"arm": [], "came": [], "here": []})
    beside = Beside(
        label="ntxent", here=found.table[:0].assign(data_fingerprint=""), repeated=repeated, rate=""
    )
    told = beside_sentences(dataclasses.replace(found, beside=beside))[0]
    assert told.endswith(
        f" was trained here; the {2 * (arms - 1)} trials of the {words} came with the study."
    )
