"""What a failed trial is worth decides which loss is robust, so a guess decides nothing."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.fairness.card import FAIL, PASS
from analysis.fairness.worst_outcome import check_worst_outcome
from analysis.statistics.comparisons.decisions import LESS_ROBUST, NOT_TUNING, WITHHELD
from analysis.study_analysis import StudyAnalysis, analyse_table
from analysis.tables.build import table_study
from analysis.tables.mapping import build_mapping


def frame(*, fails: dict[str, float]) -> pd.DataFrame:
    """Two losses on a hill over batch size and temperature; a share of the lowest temperatures of each fails."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "loss": loss,
            "seed": seed,
            "batch_size": batch,
            "temperature": temperature,
            "acc": 0.9 - 0.03 * abs(math.log(temperature / 0.2)) + 0.003 * rng.normal(),
            "status": "ok",
        }
        for loss in ("ref", "boom")
        for seed in range(5)
        for batch in (32, 64)
        for temperature in (0.05, 0.1, 0.2, 0.4)
    ]
    table = pd.DataFrame(rows)
    for loss, share in fails.items():
        low = (table["loss"] == loss) & (table["temperature"] <= np.quantile([0.05, 0.1, 0.2, 0.4], share))
        table.loc[low, ["status", "acc"]] = ["diverged", np.nan]
    return table


def findings_of(table: pd.DataFrame, worst: float | None) -> StudyAnalysis:
    keys = {
        "metric": "acc",
        "worst": worst,
        "status": "status",
        "loss": "loss",
        "seed": "seed",
        "main": "temperature",
    }
    return analyse_table(*table_study(table, build_mapping(keys)))


@pytest.mark.parametrize(
    ("loss", "said"), [("boom", "10 of 40 trials of boom"), ("ref", "10 of 40 trials of ref")]
)
def test_a_guess_decides_nothing(loss: str, said: str) -> None:
    findings = findings_of(frame(fails={loss: 0.0}), None)
    card = check_worst_outcome(findings.tried)
    assert (card.level, card.losses) == (FAIL, ("boom",))
    assert said in card.short
    assert "--worst" in card.short
    assert findings.decisions is not None
    assert {item.verdict for item in findings.decisions.items} == {WITHHELD}


def test_a_known_value_decides() -> None:
    findings = findings_of(frame(fails={"boom": 0.0}), 0.1)
    card = check_worst_outcome(findings.tried)
    assert card.level == PASS
    assert "10 of 40 trials of boom failed" in card.text
    assert findings.decisions is not None
    assert findings.decisions.standing("boom") == LESS_ROBUST


def test_a_loss_without_any_score_has_no_values() -> None:
    findings = findings_of(frame(fails={"boom": 1.0}), None)
    assert check_worst_outcome(findings.tried).level == PASS
    assert findings.decisions is not None
    price = findings.decisions.of("boom", NOT_TUNING)
    assert price is not None
    assert (price.verdict, price.reason) == (WITHHELD, "all trials of boom failed")
    assert math.isnan(price.difference.value)
    assert math.isnan(findings.decisions.values["boom"][NOT_TUNING].value)
    assert findings.decisions.values["ref"][NOT_TUNING].value > 0.01
