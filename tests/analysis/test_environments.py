"""Several data sets have an analysis each and one page in common; what cannot be related is refused or named."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.report.page import render_environments
from analysis.report.sections.all_sections import build_parts
from analysis.report.sections.content import Cell
from analysis.report.sections.data_sets.overview import overview_section
from analysis.report.sections.tuning.transfer import data_transfer_section
from analysis.report.verdict import Verdict
from analysis.report.verdict_data_sets import _each, data_sets_verdict
from analysis.report.verdict_over_sets import over_sets_table
from analysis.report.write import write_data_sets
from tests.analysis.data_sets import KEYS, environments, rows
from tests.analysis.report.pages import Links, files, told_of
from tests.prose import assert_says

TWO = rows({"one": 0.1, "two": 0.4})


def test_each_data_set_is_judged_by_itself() -> None:
    found = environments(TWO)
    assert list(found.findings) == ["one", "two"]
    tuned = [item.summaries["a"].tuned.place["hp_tau"] for item in found.findings.values()]
    assert tuned == [0.1, 0.4]
    assert all(len(item.table) == len(TWO) / 2 for item in found.findings.values())


def test_one_data_set_is_no_matter_of_its_own() -> None:
    only = environments(TWO[TWO["set"] == "one"]).only
    assert only is not None
    assert told_of(only) == told_of(analysis.findings_of(TWO[TWO["set"] == "one"], metric="acc"))


@pytest.mark.slow
def test_the_page_has_both_under_their_own_anchors_and_files(tmp_path: Path) -> None:
    page = write_data_sets(environments(TWO), tmp_path / "out").read_text()
    links = Links()
    links.feed(page)
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    assert {"overview", "transfer", "sensitivity", "one_scores", "two_scores"} <= set(ids)
    assert {source[1:] for source in links.sources if source.startswith("#")} <= set(ids)
    assert all(source.startswith(("data:", "#")) for source in links.sources)
    written = set(files(tmp_path / "out"))
    assert {
        "figures/one/surfaces.png",
        "figures/two/surfaces.png",
        "figures/transfer_data_set.svg",
    } <= written
    assert {"tables/one/scores.csv", "tables/two/scores.csv", "tables/sensitivity.csv"} <= written
    named = set(re.findall(r"Data: (tables/[\w/]+\.csv)", page))
    assert named <= written


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    found = environments(rows({f"set {n}": 0.1 * n for n in range(1, 10)}, losses=("a",)))
    for name in ("one", "two"):
        write_data_sets(found, tmp_path / name)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_the_verdict_tells_how_each_loss_stands_on_each_data_set() -> None:
    verdict = data_sets_verdict(environments(TWO, reference="a"))
    assert_says(verdict.answer[0], "2 data sets", "b is more robust than a")
    assert verdict.table is not None
    assert [column.title for column in verdict.table.columns] == ["Loss", "one", "two"]


def test_losses_on_fewer_data_sets_are_named_with_them() -> None:
    table = rows({"one": 0.1, "two": 0.4, "three": 0.4}, losses=("a", "b", "c", "d"), seeds=3)
    kept = (
        (table["loss"] < "c") | (table["set"] == "one") | ((table["set"] == "two") & (table["loss"] == "c"))
    )
    verdict = data_sets_verdict(environments(table[kept], reference="a"))
    assert_says(verdict.answer[0], "Averaged over 3 data sets", "c (on one and two only)")
    assert "d" not in verdict.answer[0].replace("(", " ").split()
    assert verdict.answer[1] == "d is compared with a on one only, so it has no answer over data sets."
    (error,) = [text for text in verdict.conditions if "wrong decision" in text]
    assert error == "nominal 4 % chance of any wrong decision"


def test_an_unfinished_data_set_does_not_take_the_place_of_the_answer() -> None:
    found = environments(TWO.drop(index=TWO.index[0]), reference="a")
    told = data_sets_verdict(found)
    assert_says(told.before[0], "Provisional", "one")
    assert not any("Provisional" in text for text in told.answer)
    apart = _each(found.findings)
    assert not any("Provisional" in text for text in apart)


def test_too_many_losses_are_not_counted_one_by_one() -> None:
    many = rows({"one": 0.1, "two": 0.4}, losses=tuple(f"loss{k}" for k in range(41)), seeds=2)
    told = data_sets_verdict(environments(many)).answer
    assert_says(told[0], 41, "too many to compare", "at most 40 losses")
    assert max(map(len, told)) < 500


def test_scores_and_comparisons_in_a_notebook_name_the_data_set() -> None:
    scores = analysis.robustness(TWO, **KEYS)
    assert scores[["data", "arm"]].to_numpy().tolist() == [
        ["one", "a"],
        ["one", "b"],
        ["two", "a"],
        ["two", "b"],
    ]
    assert analysis.compare(TWO, **KEYS)["data"].tolist() == ["one"] * 4 + ["two"] * 4
    with pytest.raises(ValueError, match="data: got 2 data sets; environments_of takes several"):
        analysis.findings_of(TWO, **KEYS)


def test_a_data_set_with_one_loss_only() -> None:
    table = TWO[(TWO["set"] == "one") | (TWO["loss"] == "b")]
    found = environments(table, reference="a")
    assert found.losses == {"a": ["one"], "b": ["one", "two"]}
    content = data_transfer_section(found)
    assert [row[0].text for row in content.tables[0].rows] == ["b"]
    rows = [row for row in overview_section(found).tables[0].rows if row[0].text == "two"]
    assert [row[1].text for row in rows] == ["b"]
    decisions = found.findings["two"].decisions
    assert decisions is not None
    assert decisions.items == ()
    shown = data_sets_verdict(found).table
    assert shown is not None
    assert [row[2].text.split()[0] for row in shown.rows] == ["–", "reference"]


def test_configurations_that_a_data_set_lacks_are_left_out_and_told() -> None:
    table = TWO[~((TWO["set"] == "two") & (TWO["tau"] == 0.1))]
    found = environments(table)
    content = data_transfer_section(found)
    assert_says(content.lead, "a 4 of 6", "b 4 of 6")


def test_losses_without_a_data_set_in_common_relate_nothing() -> None:
    parts = build_parts(environments(TWO[(TWO["set"] == "one") == (TWO["loss"] == "a")]))[""]
    for name in ("transfer", "sensitivity"):
        assert_says(parts[name].lead, "No loss", "more than one data set")
        assert not parts[name].tables


def test_two_spellings_are_two_data_sets_and_said_to_be() -> None:
    found = environments(rows({"CIFAR-10": 0.1, "cifar10": 0.1, "cifar_10": 0.2}))
    assert list(found.findings) == ["CIFAR-10", "cifar10", "cifar_10"]
    assert found.anchors == {"CIFAR-10": "cifar_10", "cifar10": "cifar10", "cifar_10": "cifar_10_2"}
    (card,) = overview_section(found).cards
    assert all(name in card.text for name in ("“CIFAR-10”", "“cifar10”", "“cifar_10”", "spelling"))


def test_names_make_no_paths_and_no_markup(tmp_path: Path) -> None:
    names = ["../../etc", "α", "β", "a b/c", "<b>"]
    found = environments(rows(dict.fromkeys(names, 0.1), losses=("a",), seeds=1))
    assert list(found.anchors.values()) == ["etc", "data", "data_2", "a_b_c", "b"]
    assert "<b>:" not in render_environments(
        found, Verdict(answer=("<b>: x",)), {"overview": overview_section(found)}, {}
    )


@pytest.mark.slow
def test_fifty_data_sets_keep_tables_and_leave_out_their_figures() -> None:
    table = rows({f"set {n}": 0.1 for n in range(50)}, seeds=2)
    found = environments(table[table["batch"] == 32])
    parts = build_parts(found)
    assert len(parts) == 51
    assert set(parts["set_7"]) == {"scores", "failures", "fairness"}
    assert not any(content.figures for name, each in parts.items() if name for content in each.values())
    assert len(parts[""]["transfer"].data["transfer_data_set"]) == 2 * 50 * 50
    assert all(
        figure.build() is not None for content in parts[""].values() for figure in content.figures.values()
    )
    assert len(data_sets_verdict(found).answer) == 3  # the verdict, the price, and the difference when tuned


def test_a_row_without_a_data_set_is_named() -> None:
    table = TWO.copy()
    table.loc[4, "set"] = None
    with pytest.raises(ValueError, match="data: row 5 names no data set, where others do"):
        environments(table)


def opposite(data: str, better: str, seeds: int = 5) -> pd.DataFrame:
    """Losses a, b and c on one data set: `better` falls by 0.02 and the others by 0.1 for each doubling from 0.2."""
    rng = np.random.default_rng(len(data))
    return pd.DataFrame(
        [
            {"set": data, "loss": loss, "seed": seed, "batch": batch, "tau": tau, "acc": acc}
            for loss in ("a", "b", "c")
            for seed in range(seeds)
            for batch in (32, 64)
            for tau in (0.1, 0.2, 0.4)
            for fall in [0.02 if loss == better else 0.1]
            for acc in [0.8 - fall * abs(np.log2(tau / 0.2)) + 0.001 * rng.normal()]
        ]
    )


def test_an_order_that_differs_between_data_sets_is_said_with_their_names() -> None:
    found = environments(pd.concat([opposite("one", "b"), opposite("twos", "a")]), reference="a")
    verdict = data_sets_verdict(found)
    assert verdict.answer[0] == (
        "The order of b and a differs between data sets: for not tuning, b pays less on one, and more on twos."
    )
    table = over_sets_table(found)
    assert table is not None
    decided = [
        row[-1] for row in table.rows if [cell.text for cell in row[:2]] == ["b", "Price of not tuning"]
    ]
    assert [(cell.text, cell.below) for cell in decided] == [
        ("order differs", "better on one; worse on twos")
    ]


def flat_on(height: float, name: str) -> pd.DataFrame:
    """Loss a has its hill, of 0.8 and the average 0.7; loss b is flat at `height` on this data set."""
    table = rows({name: 0.2})
    return table.assign(acc=table["acc"].where(table["loss"] == "a", height + 0.001 * table["seed"]))


def test_a_loss_that_collapses_on_one_data_set_is_not_averaged_away() -> None:
    table = pd.concat([flat_on(0.8, "one"), flat_on(0.1, "twos")])
    told = data_sets_verdict(environments(table, reference="a")).answer
    assert tuple(text.replace("\N{NO-BREAK SPACE}", " ") for text in told) == (
        "Data sets differ on b against a: more robust on one; flat but low on twos.",
        "Price of not tuning, difference in points, less is better: b −6.7 [−6.8, −6.6] (−6.7 on each).",
        "Tuned acc, difference, plus is better: b −35.0 [−35.1, −34.9] (−70.0 on twos to 0.0 on one).",
    )


def test_a_standing_of_one_data_set_is_told_beside_that_of_the_mean() -> None:
    """On `one`, b is more robust than a; on the other data sets it has the same scores but for noise."""
    parts = [rows({name: 0.2}) for name in ("one", "twos", "three", "four")]
    rng = np.random.default_rng(0)
    for place, part in enumerate(parts):
        hill = part["acc"].to_numpy()[: len(part) // 2]
        part.loc[part["loss"] == "b", "acc"] = 0.8 if place == 0 else hill
        part["acc"] += 0.0002 * rng.normal(size=len(part))
    told = data_sets_verdict(environments(pd.concat(parts), reference="a")).answer
    assert told[0] == "Averaged over 4 data sets, b is as robust as a, within 2 points."
    assert told[1] == "On single data sets: b (more robust on one; as robust on twos, three and four)."


def test_where_the_order_differs_each_other_data_set_has_its_own_verdict() -> None:
    """On `equals`, b and a fall alike; on `few`, two seeds decide no price."""
    tables = [opposite("one", "b"), opposite("twos", "a"), opposite("equals", "c"), opposite("few", "b", 2)]
    verdict = data_sets_verdict(environments(pd.concat(tables), reference="a"))
    assert verdict.answer[0] == (
        "The order of b and a differs between data sets: for not tuning, b pays less on one, and more on twos; equal "
        "on equals; withheld on few."
    )


def test_a_data_set_without_the_reference_is_named_and_not_averaged() -> None:
    three = pd.concat([opposite("one", "b"), opposite("two", "b"), opposite("four", "b")])
    found = environments(three[(three["set"] != "four") | (three["loss"] != "a")], reference="a")
    verdict = data_sets_verdict(found)
    assert verdict.answer[0].startswith(
        "Averaged over 2 data sets (not four, which lacks a), b is more robust"
    )
    assert found.over_sets is not None
    assert found.over_sets.sets == {"b": ("one", "two"), "c": ("one", "two")}
    assert verdict.table is not None
    assert [column.title for column in verdict.table.columns] == ["Loss", "one", "two", "four, against b"]
    assert " four lacks a." in verdict.table.note


def test_a_reason_for_all_data_sets_stands_once() -> None:
    two = pd.concat([opposite("one", "b", seeds=2), opposite("two", "b", seeds=2)])
    verdict = data_sets_verdict(environments(two, reference="a"))
    why = "three seeds are needed: one to choose, and two to show the noise of the score"
    assert_says(verdict.answer[0], f"the verdict on b and c is withheld ({why}).")
    assert verdict.table is not None
    assert verdict.table.note.count(why) == 1
    cells = [cell for row in verdict.table.rows for cell in row if isinstance(cell, Cell)]
    assert not any(why in cell.below for cell in cells)
