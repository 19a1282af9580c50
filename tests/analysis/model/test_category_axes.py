"""Studies over axes of any type have the right scores at the right places, and a report."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.fairness.checks import check_fairness
from analysis.library import environments_of, findings_of, write_table_report
from analysis.model.aligned import align_along, align_cells
from analysis.report.score_tables import cells_table
from analysis.report.sections.space.places import curves_section
from analysis.report.sections.space.steps import steps_section
from analysis.statistics.comparisons.loss_values import TUNED

LOSSES, SEEDS, BATCHES, TAUS = ("a", "b"), (0, 1, 2), (32, 64), (0.1, 0.2, 0.4)


def grid() -> pd.DataFrame:
    """Scores that grow with batch size and tau; loss b lies 0.03 above loss a."""
    names = ["loss", "batch_size", "tau", "seed"]
    rows = pd.MultiIndex.from_product([LOSSES, BATCHES, TAUS, SEEDS], names=names).to_frame(index=False)
    score = (
        0.5
        + 0.03 * (rows["loss"] == "b")
        + 0.01 * rows["seed"]
        + 0.001 * rows["batch_size"]
        + rows["tau"] / 5
    )
    return rows.assign(acc=score)


def mean_of(batch: int, tau: float) -> float:
    """The mean over seeds of loss b at one place."""
    return 0.53 + 0.01 + 0.001 * batch + tau / 5


def times(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values.map({0.1: "2024-02-01", 0.2: "2024-11-05", 0.4: "2025-01-01"}))


WORDS = {0.1: "sgd", 0.2: "lars", 0.4: "adam"}
SIZES = {0.1: "small", 0.2: "medium", 0.4: "large"}

#: How a column holds the values of tau, and the categories or numbers that stand for 0.1, 0.2 and 0.4.
HELD: dict[str, tuple[Callable[[pd.Series], Any], list[Any]]] = {
    "text": (lambda tau: tau.map(WORDS), ["sgd", "lars", "adam"]),
    "string": (lambda tau: tau.map(WORDS).astype("string"), ["sgd", "lars", "adam"]),
    "category": (lambda tau: tau.map(WORDS).astype("category"), ["sgd", "lars", "adam"]),
    "ordered": (
        lambda tau: pd.Categorical(tau.map(SIZES), list(SIZES.values()), ordered=True),
        ["small", "medium", "large"],
    ),
    "mixed": (lambda tau: tau.astype(object).where(tau < 0.4, "auto"), ["0.1", "0.2", "auto"]),
    "empty": (lambda tau: tau.where(tau < 0.4), ["0.1", "0.2", ""]),
    "empty in single precision": (lambda tau: tau.where(tau < 0.4).astype("float32"), ["0.1", "0.2", ""]),
    "nullable": (lambda tau: (10 * tau).round().astype("Int64"), [1.0, 2.0, 4.0]),
    "decimal": (lambda tau: tau.map(lambda value: Decimal(str(value))), [0.1, 0.2, 0.4]),
    "single precision": (lambda tau: tau.astype("float32"), [0.1, 0.2, 0.4]),
    "numeric text": (lambda tau: tau.map({0.1: "1024", 0.2: "128", 0.4: "32"}), [1024.0, 128.0, 32.0]),
    "time": (times, ["2024-02-01", "2024-11-05", "2025-01-01"]),
    "duration": (
        lambda tau: pd.to_timedelta(100 * tau, unit="D"),
        ["10 days 00:00:00", "20 days 00:00:00", "40 days 00:00:00"],
    ),
    "period": (lambda tau: times(tau).dt.to_period("M"), ["2024-02", "2024-11", "2025-01"]),
    "large": (
        lambda tau: tau.map({0.1: 2**60, 0.2: 2**60 + 1, 0.4: 2**60 + 2}),
        [str(2**60), str(2**60 + 1), str(2**60 + 2)],
    ),
}


@pytest.mark.parametrize("kind", HELD)
def test_scores_stand_at_their_values(kind: str) -> None:
    hold, names = HELD[kind]
    rows = grid()
    findings = findings_of(rows.assign(tau=hold(rows["tau"])), metric="acc")
    cells = findings.cells["b"]
    for name, tau in zip(names, TAUS, strict=True):
        for batch in BATCHES:
            at = (cells.values("hp_batch_size") == batch) & (cells.values("hp_tau") == name)
            assert cells.test[at].mean() == pytest.approx(mean_of(batch, tau))
    assert findings.summaries["b"].tuned.place == {"hp_batch_size": 64, "hp_tau": names[-1]}
    assert findings.decisions is not None
    decision = findings.decisions.of("b", TUNED)
    assert decision is not None
    assert decision.difference.value == pytest.approx(0.03)
    if not cells.axes[1].numeric:
        want = np.mean([mean_of(batch, tau) for batch in BATCHES for tau in TAUS])
        assert findings.summaries["b"].mean.value == pytest.approx(want)  # equal shares


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        ("text", ["adam", "lars", "sgd"]),
        ("ordered", ["small", "medium", "large"]),
        ("empty", ["0.1", "0.2", ""]),
        ("numeric text", [32.0, 128.0, 1024.0]),
        ("duration", ["10 days 00:00:00", "20 days 00:00:00", "40 days 00:00:00"]),
    ],
)
def test_axes_have_the_order_of_their_values(kind: str, order: list[Any]) -> None:
    rows = grid()
    surface = findings_of(rows.assign(tau=HELD[kind][0](rows["tau"])), metric="acc").surfaces["b"]
    assert surface.y.tolist() == order


def test_truth_values_are_two_categories() -> None:
    rows = grid()
    rows = rows[rows["tau"] < 0.4].assign(tau=rows["tau"] > 0.1)
    for column in (rows["tau"], rows["tau"].astype("boolean"), rows["tau"].astype(object)):
        surface = findings_of(rows.assign(tau=column), metric="acc").surfaces["b"]
        assert surface.y.tolist() == ["False", "True"]
        want = [[mean_of(batch, tau) for tau in (0.1, 0.2)] for batch in BATCHES]
        np.testing.assert_allclose(surface.values.mean(axis=-1), want)


def test_one_empty_cell_is_a_place_of_its_own_in_its_loss_alone() -> None:
    rows = grid()
    rows.loc[0, "tau"] = np.nan  # loss a, batch size 32, seed 0
    findings = findings_of(rows, metric="acc", complete=True)
    assert findings.surfaces["b"].y.tolist() == list(TAUS)
    surface = findings.surfaces["a"]
    assert surface.y.tolist() == ["0.1", "0.2", "0.4", ""]
    assert surface.status[0, 3].tolist() == ["ok", "unplanned", "unplanned"]
    assert surface.values[0, 3, 0] == pytest.approx(0.5 + 0.032 + 0.02)


def test_what_needs_an_order_is_left_out_with_a_sentence() -> None:
    rows = grid()
    both = findings_of(rows.assign(tau=rows["tau"].map(WORDS)), metric="acc")
    for section in (curves_section(both), steps_section(both)):
        assert section is not None
        assert "for a and b" in section.lead
        assert not section.figures
        assert not section.tables
    mixed = rows["tau"].astype(object).where((rows["tau"] < 0.4) | (rows["loss"] == "a"), "auto")
    one = findings_of(rows.assign(tau=mixed), metric="acc")
    curves, steps = curves_section(one), steps_section(one)
    assert curves is not None
    assert steps is not None
    assert curves.sentences == ("No lines for b: an axis has categories, which have no distances.",)
    assert [row[0].text for row in steps.tables[0].rows] == ["a"]


def test_cards_say_nothing_of_steps_of_named_batch_sizes() -> None:
    rows = grid()
    rows["batch_size"] = rows["batch_size"].map({32: "few", 64: "many"})
    cards = {card.title: card for card in check_fairness(findings_of(rows, metric="acc"))}
    assert cards["Steps over batch size"].text.startswith("Not every batch size is a number above 0")


def test_data_sets_share_places_though_one_has_categories() -> None:
    one, other = grid().assign(data="one"), grid().assign(data="two")
    other["tau"] = other["tau"].astype(object).where(other["tau"] < 0.4, "auto")
    found = environments_of(pd.concat([one, other], ignore_index=True), metric="acc").findings
    aligned = align_cells({name: findings.cells["b"] for name, findings in found.items()})
    assert aligned.axes[1].values.tolist() == ["0.1", "0.2"]
    assert aligned.left_out == 4
    want = [mean_of(batch, tau) for batch in BATCHES for tau in (0.1, 0.2)]
    np.testing.assert_allclose(aligned.test.mean(axis=-1), [want, want])


def test_numbers_and_their_texts_are_one_place() -> None:
    rows = grid()
    mixed = rows["tau"].astype(object).where((rows["tau"] < 0.4) | (rows["loss"] == "a"), "auto")
    cells = findings_of(rows.assign(tau=mixed), metric="acc").cells
    aligned = align_cells(cells)
    assert aligned.axes[1].values.tolist() == [0.1, 0.2]
    np.testing.assert_allclose(aligned.test[1] - aligned.test[0], 0.03)


def test_values_that_agree_in_three_digits_are_two_environments() -> None:
    rows = grid()
    rows["tau"] = rows["tau"].map({0.1: 0.10001, 0.2: 0.10002, 0.4: 0.10003})
    along = align_along(findings_of(rows, metric="acc").cells["b"], "hp_tau")
    assert along.environments == ("0.10001", "0.10002", "0.10003")


@pytest.mark.parametrize("values", [(True, False), ("x", 2.5, None), (0.1234567, 0.1234568)])
def test_a_third_axis_of_any_type_splits_losses(values: tuple[Any, ...]) -> None:
    parts = [grid().assign(kind=value, acc=grid()["acc"] - place / 10) for place, value in enumerate(values)]
    rows = pd.concat([part.astype({"kind": object}) for part in parts], ignore_index=True)
    findings = findings_of(rows, metric="acc")
    of_b = [arm.label for arm in findings.info.arms if arm.loss == "b"]
    assert len(of_b) == len(values)
    means = sorted(findings.summaries[label].tuned.estimate.value for label in of_b)
    want = sorted(mean_of(64, 0.4) - place / 10 for place in range(len(values)))
    assert means == pytest.approx(want)
    assert findings.wholes["b"].axes[2].values.shape == (len(values),)


@pytest.mark.slow
def test_a_report_over_text_and_mixed_axes(tmp_path: Path) -> None:
    rows = grid()
    rows["batch_size"] = rows["batch_size"].map({32: "few", 64: "many"})
    rows["tau"] = rows["tau"].astype(object).where((rows["tau"] < 0.4) | (rows["loss"] == "a"), "auto")
    rows["status"] = "ok"
    rows.loc[1, ["status", "acc"]] = ["crashed", np.nan]
    write_table_report(rows, tmp_path, metric="acc")
    written = pd.read_parquet(tmp_path / "tables" / "cells.parquet")
    want = cells_table(findings_of(rows, metric="acc"))
    assert written["main_axis_value"].tolist() == ["0.1", "0.2", "0.4"] * 2 + ["0.1", "0.2", "auto"] * 2
    np.testing.assert_allclose(written["test_mean"], want["test_mean"])
    assert (
        "not for a and b: an axis has values that are no numbers above 0"
        in (tmp_path / "report.md").read_text()
    )
