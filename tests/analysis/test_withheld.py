"""A study whose losses differ in one thing has no verdict on the losses concerned; the card names both values."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.fairness.card import FAIL, Card
from analysis.fairness.checks import check_fairness
from analysis.model.info import SettingInfo
from analysis.model.table import build_table
from analysis.report.verdict import study_verdict
from analysis.studies import ComparedStudy, compare_studies
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

SEEDS = tuple(range(5))
TEMPERATURES = (0.1, 0.2, 0.4)
NAMES = ("infonce", "dhel", "dcl")
SURFACES = {name: synthetic.hill(peak=0.8 + 0.05 * at, at=0.2, width=5.0) for at, name in enumerate(NAMES)}

Change = Callable[[pd.DataFrame], pd.DataFrame]


def study(change: Change = lambda rows: rows, **info: object) -> StudyAnalysis:
    """Three losses at equal places; `change` is made to the rows of trials, planned and run."""
    arms = [synthetic.arm_info(name) for name in NAMES]
    rows = change(synthetic.plan(arms, seeds=SEEDS, values=TEMPERATURES))
    records = synthetic.run(rows, SURFACES, noise=0.01, rng=np.random.default_rng(0))
    planned = rows[["trial_id", "config_id", "arm", "seed", "hp_batch_size", "hp_temperature"]]
    return analyse(planned, records, synthetic.study_info(arms, seeds=SEEDS, **info))


def failed(found: StudyAnalysis) -> list[Card]:
    return [card for card in check_fairness(found) if card.level == FAIL]


def reasons(found: StudyAnalysis) -> dict[str, set[str]]:
    """The reasons for which decisions on each loss are withheld; empty text where they are not."""
    assert found.decisions is not None
    return {
        loss: {item.reason for item in found.decisions.items if item.loss == loss} for loss in ("dhel", "dcl")
    }


def other(column: str, own: object, usual: object, *, loss: str = "dcl") -> Change:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        values = [own if arm == loss else usual for arm in rows["arm"]]
        return rows.assign(**{column: values})

    return change


def without(loss: str, column: str, value: float) -> Change:
    return lambda rows: rows[(rows["arm"] != loss) | (rows[column] != value)].reset_index(drop=True)


def test_equal_losses_are_decided() -> None:
    found = study()
    assert failed(found) == []
    assert reasons(found) == {"dhel": {""}, "dcl": {""}}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (other("hp_epochs", 50, 12), "epochs: 12 for infonce and dhel, 50 for dcl"),
        (other("hp_steps", 400, 100), "steps: 100 for infonce and dhel, 400 for dcl"),
        (other("encoder", "wide", "small"), "encoder: small for infonce and dhel, wide for dcl"),
        (other("data", "cifar10", "digits"), "data: digits for infonce and dhel, cifar10 for dcl"),
        (
            other("data_fingerprint", "aa", "bb"),
            "content of the data set: one value for infonce and dhel, another value for dcl",
        ),
        (
            other("probe_id", "aa", "bb"),
            "settings of the probes: one value for infonce and dhel, another value for dcl",
        ),
        (without("dcl", "seed", 4), "seeds: 0, 1, 2, 3 and 4 for infonce and dhel, 0, 1, 2 and 3 for dcl"),
        (
            without("dcl", "hp_batch_size", 256),
            "batch size: 16, 64 and 256 for infonce and dhel, 16 and 64 for dcl",
        ),
        (
            without("dcl", "hp_temperature", 0.1),
            "temperature: 0.1, 0.2 and 0.4 for infonce and dhel, 0.2 and 0.4 for dcl",
        ),
    ],
)
def test_the_losses_concerned_are_withheld_with_both_values(change: Change, line: str) -> None:
    found = study(change)
    (card,) = failed(found)
    assert (card.line, card.losses) == (line, ("dcl",))
    assert reasons(found) == {"dhel": {""}, "dcl": {line}}
    assert found.decisions is not None
    assert {item.verdict for item in found.decisions.items if item.loss == "dcl"} == {"withheld"}
    assert "withheld" not in {item.verdict for item in found.decisions.items if item.loss == "dhel"}
    assert f"Failed check “{card.title}”: {line}." in study_verdict(found).failed


def test_an_odd_reference_withholds_all() -> None:
    line = "epochs: 50 for infonce, 12 for dhel and dcl"
    assert reasons(study(other("hp_epochs", 50, 12, loss="infonce"))) == {"dhel": {line}, "dcl": {line}}


@pytest.mark.parametrize(
    "change",
    [other("hp_lr_rule", "linear", "linear"), other("device", "cuda", "cpu")],
    ids=["rule", "device"],
)
def test_what_need_not_matter_withholds_nothing(change: Change) -> None:
    assert failed(study(change)) == []


def test_a_null_control_at_fewer_places_withholds_nothing() -> None:
    found = study(without("dcl", "hp_batch_size", 256), null_controls=(("dcl", "dhel"),))
    assert {card.title for card in failed(found)} <= {"Null control"}  # the losses have different surfaces
    assert found.decisions is not None
    assert {(item.loss, item.reason) for item in found.decisions.items} == {("dhel", "")}


def part(name: str, **settings: object) -> ComparedStudy:
    arms = [synthetic.arm_info(label) for label in ("infonce", "dhel")]
    planned = synthetic.plan(arms, seeds=SEEDS, values=TEMPERATURES)
    records = synthetic.run(planned, SURFACES, noise=0.01, rng=np.random.default_rng(0))
    told = tuple(
        SettingInfo(name=key, label=key.replace("_", " "), group="network", values={"": (value,)})
        for key, value in settings.items()
    )
    info = dataclasses.replace(synthetic.study_info(arms, seeds=SEEDS, name=name), settings=told)
    return ComparedStudy(name=name, table=build_table(planned, records), info=info)


def test_a_study_with_another_setting_is_withheld_and_a_like_one_is_not() -> None:
    found = compare_studies(
        [part(name, width=width) for name, width in (("A", 16), ("B", 32), ("C", 16))]
    ).only
    assert found is not None
    assert found.decisions is not None
    told = {item.loss: item.reason for item in found.decisions.items}
    line = "width: 16 in A and C, 32 in B"
    assert told == {
        "dhel (A)": "", "infonce (B)": line, "dhel (B)": line, "infonce (C)": "", "dhel (C)": "",
    }  # fmt: skip
