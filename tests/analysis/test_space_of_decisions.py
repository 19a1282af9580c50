"""The space of a decision: every axis of numbers, and for categories the variant that validation selects."""

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.statistics.comparisons.decisions import AVERAGE, NOT_TUNING, TUNED


def rows(third: str, values: list) -> pd.DataFrame:
    """Loss a falls by 0.1 for each doubling of the temperature from 0.1; loss b is flat. Four seeds."""
    rng, found = np.random.default_rng(0), []
    for loss in ("a", "b"):
        for batch in (32, 64):
            for temperature in (0.05, 0.1, 0.2):
                for value in values:
                    for seed in range(4):
                        level = 0.85 - (0.1 * abs(np.log2(temperature / 0.1)) if loss == "a" else 0.0)
                        score = level + 0.002 * rng.normal()
                        found.append((loss, batch, temperature, value, seed, score, score))
    columns = ["loss", "batch_size", "temperature", third, "seed", "acc", "val_acc"]
    return pd.DataFrame(found, columns=columns)


def decided(table: pd.DataFrame, **keys: object) -> pd.DataFrame:
    found = analysis.compare(table, metric="acc", selects="val_acc", **keys)
    return found.set_index("question")


@pytest.mark.parametrize("main", ["temperature", "lr"])
def test_a_third_axis_of_numbers_belongs_to_the_space_whatever_axis_is_drawn(main: str) -> None:
    table = decided(rows("lr", [0.1, 0.2, 0.4, 0.8]), main=main)
    assert table.loc[NOT_TUNING, "difference"] == pytest.approx(-0.2 / 3, abs=0.005)
    assert table.loc[AVERAGE, "difference"] == pytest.approx(0.2 / 3, abs=0.005)
    assert table.loc[TUNED, "difference"] == pytest.approx(0.0, abs=0.005)
    assert table.loc[[NOT_TUNING, AVERAGE], "verdict"].tolist() == ["better", "better"]


def test_of_categories_validation_selects_one() -> None:
    table = rows("optimizer", ["adam", "sgd"])
    poor = (table["loss"] == "b") & (table["optimizer"] == "sgd")
    table.loc[poor, ["acc", "val_acc"]] -= 0.3
    found = decided(table, main="temperature")
    assert found.loc[AVERAGE, "difference"] == pytest.approx(0.2 / 3, abs=0.005)
