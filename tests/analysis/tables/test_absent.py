"""Trials that a table lacks: they count as not run yet, as if their rows stood there without a result."""

import numpy as np
import pandas as pd
import pytest

from analysis.fairness.checks import check_fairness
from analysis.model.cells import MISSING
from analysis.report.score_tables import cells_table, coverage_table, decisions_table, scores_table
from analysis.study_analysis import StudyAnalysis, analyse_table
from analysis.tables.build import table_study
from analysis.tables.mapping import build_mapping
from tests.analysis.report.pages import told_of

LOSSES, SEEDS, BATCHES, TAUS = ("a", "b"), (0, 1, 2, 3), (32, 64, 128), (0.1, 0.2, 0.4)


def grid() -> pd.DataFrame:
    """A complete grid with some noise."""
    names = ["loss", "seed", "batch", "tau"]
    rows = pd.MultiIndex.from_product([LOSSES, SEEDS, BATCHES, TAUS], names=names).to_frame(index=False)
    noise = 0.01 * np.random.default_rng(0).normal(size=len(rows))
    return rows.assign(acc=0.7 + 0.05 * (rows["loss"] == "b") - 0.1 * rows["tau"] + noise)


def part() -> pd.DataFrame:
    """Six in ten of its rows; a cell of loss a has none."""
    rows = grid()
    lost = (rows["loss"] == "a") & (rows["batch"] == 64) & (rows["tau"] == 0.2)
    return rows[~lost].sample(frac=0.6, random_state=1).sort_index()


def study(rows: pd.DataFrame, **keys: object) -> StudyAnalysis:
    return analyse_table(*table_study(rows, build_mapping({"metric": "acc", **keys})))


def missing(findings: StudyAnalysis) -> dict[str, int]:
    table = coverage_table(findings)
    return dict(zip(table["arm"], table[MISSING], strict=True))


def test_absent_rows_equal_rows_that_are_marked_as_not_run() -> None:
    rows = part()
    marked = grid()
    marked["status"] = np.where(marked.index.isin(rows.index), "ok", "Missing")
    marked.loc[marked["status"] == "Missing", "acc"] = np.nan
    lacking, told = study(rows), study(marked)
    assert missing(lacking) == {"a": 36 - (rows["loss"] == "a").sum(), "b": 36 - (rows["loss"] == "b").sum()}
    for table in (coverage_table, scores_table, cells_table, decisions_table):
        pd.testing.assert_frame_equal(table(lacking), table(told))
    assert told_of(lacking) == told_of(told)
    assert told_of(lacking).startswith(f"Provisional: {72 - len(rows)} of 72 planned trials")
    cards = {card.title: card for card in check_fairness(lacking)}
    assert cards["Incomplete"].level == "warn"
    assert "for none of them all trials" in cards["Seeds unfinished"].text


def test_surfaces_show_what_is_absent() -> None:
    surface = study(part()).surfaces["a"]
    assert surface.status.shape == (3, 3, 4)
    assert (surface.status[1, 1] == MISSING).all()


def test_a_table_that_is_declared_complete_lacks_nothing() -> None:
    assert missing(study(part(), complete=True)) == {"a": 0, "b": 0}


def test_other_losses_say_nothing_of_seeds_and_values() -> None:
    rows = grid()
    rows.loc[rows["loss"] == "b", "seed"] += 10
    rows = rows[(rows["loss"] == "a") | (rows["batch"] < 128)]
    assert missing(study(rows)) == {"a": 0, "b": 0}


def test_every_data_set_lacks_its_own_rows() -> None:
    first, second = grid().assign(data="one"), grid().assign(data="two")
    second = second[second["seed"] < 2]
    table, _ = table_study(pd.concat([first.drop(index=5), second]), build_mapping({"metric": "acc"}))
    absent = table[table["status"].isna()]
    assert absent[["data", "arm", "seed", "hp_batch", "hp_tau"]].values.tolist() == [["one", "a", 0, 64, 0.4]]
    same = table[(table["arm"] == "a") & (table["hp_batch"] == 64) & (table["hp_tau"] == 0.4)]
    assert same["config_id"].nunique() == 1


@pytest.mark.parametrize(("kept", "lacking"), [(3, 8), (1, 0)])
def test_points_lack_seeds_where_most_ran(kept: int, lacking: int) -> None:
    """A random search: every configuration on `kept` of four seeds, its own where it is one."""
    rng = np.random.default_rng(0)
    rows = [
        {"loss": "a", "seed": (index + seed) % 4 if kept > 1 else index % 4, "lr": lr, "tau": tau, "acc": tau}
        for index, (lr, tau) in enumerate(rng.uniform(0.1, 1.0, size=(8, 2)))
        for seed in range(kept)
    ]
    found = study(pd.DataFrame(rows), axes=["lr", "tau"])
    assert found.cells["a"].shape is None
    assert missing(found) == {"a": lacking}


def test_seeds_of_their_own_for_every_place_of_a_grid_are_no_gaps() -> None:
    rows = grid()
    own = rows.assign(seed=np.arange(len(rows)))
    assert missing(study(own)) == {"a": 0, "b": 0}


def test_a_further_axis_is_filled_part_by_part() -> None:
    """Kernel `plain` has no gamma, `scaled` has two; nobody planned the rest of the product."""
    kinds = [("plain", None), ("scaled", 1.0), ("scaled", 4.0)]
    rows = pd.concat(
        [grid().assign(kernel=kernel, gamma=gamma) for kernel, gamma in kinds], ignore_index=True
    )
    found = study(rows.drop(index=[0, 80]), axes=["batch", "tau", "kernel", "gamma"])
    counts = missing(found)
    assert sum(counts.values()) == 2
    assert {label for label, count in counts.items() if count} == {
        "a, kernel plain",
        "a, kernel scaled, gamma 1",
    }
