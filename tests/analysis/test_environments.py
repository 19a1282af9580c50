"""Several data sets have an analysis each and one page in common; what cannot be related is refused or named."""

import re
from pathlib import Path

import pytest

import analysis
from analysis.report.page import render_environments
from analysis.report.sections.all_sections import build_parts
from analysis.report.sections.data_sets.overview import overview_section
from analysis.report.sections.tuning.transfer import data_transfer_section
from analysis.report.verdict import verdict_sentences
from analysis.report.verdict_data_sets import data_set_sentences
from analysis.report.write import write_data_sets
from tests.analysis.data_sets import KEYS, environments, rows
from tests.analysis.report.pages import Links, files
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
    assert verdict_sentences(only) == verdict_sentences(
        analysis.findings_of(TWO[TWO["set"] == "one"], metric="acc")
    )


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


def test_the_opening_counts_verdicts_and_tells_what_relates_the_data_sets() -> None:
    told = data_set_sentences(environments(TWO, reference="a"), ["Related."])
    assert_says(told[1], "compared with a", "2 data sets", "in points: b")
    assert told[2] == "Related."
    assert [text.split(":")[0] for text in told[3:]] == ["one", "two"]


def test_too_many_losses_are_not_counted_one_by_one() -> None:
    many = rows({"one": 0.1, "two": 0.4}, losses=tuple(f"loss{k}" for k in range(30)), seeds=2)
    told = data_set_sentences(environments(many), ["Related."])
    assert_says(told[0], 30, "too many to rank")
    assert max(map(len, told)) < 500


def test_scores_and_comparisons_in_a_notebook_name_the_data_set() -> None:
    scores = analysis.robustness(TWO, **KEYS)
    assert scores[["data", "arm"]].to_numpy().tolist() == [
        ["one", "a"],
        ["one", "b"],
        ["two", "a"],
        ["two", "b"],
    ]
    assert analysis.compare(TWO, **KEYS)["data"].tolist() == ["one", "one", "two", "two"]
    with pytest.raises(ValueError, match="data: got 2 data sets; environments_of takes several"):
        analysis.findings_of(TWO, **KEYS)


def test_a_data_set_with_one_loss_only() -> None:
    table = TWO[(TWO["set"] == "one") | (TWO["loss"] == "b")]
    found = environments(table, reference="a")
    assert found.findings["two"].comparisons == ()
    assert found.losses == {"a": ["one"], "b": ["one", "two"]}
    content = data_transfer_section(found)
    assert [row[0].text for row in content.tables[0].rows] == ["b"]
    cells = [row[5].text for row in overview_section(found).tables[0].rows if row[0].text == "two"]
    assert cells
    assert set(cells) == {"–"}


def test_configurations_that_a_data_set_lacks_are_left_out_and_told() -> None:
    table = TWO[~((TWO["set"] == "two") & (TWO["tau"] == 0.1))]
    found = environments(table)
    content = data_transfer_section(found)
    assert_says(content.lead, "a 4 of 6", "b 4 of 6")
    assert content.tables[0].rows[0][5].below == "2 not shared"


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
    assert "<b>:" not in render_environments(found, [], {"overview": overview_section(found)}, {})


def test_fifty_data_sets_keep_tables_and_leave_out_their_figures() -> None:
    table = rows({f"set {n}": 0.1 for n in range(50)}, seeds=2)
    found = environments(table[table["batch"] == 32])
    parts = build_parts(found)
    assert len(parts) == 51
    assert set(parts["set_7"]) == {"scores", "comparisons", "failures", "fairness"}
    assert not any(content.figures for name, each in parts.items() if name for content in each.values())
    assert len(parts[""]["transfer"].data["transfer_data_set"]) == 2 * 50 * 50
    assert all(
        figure.build() is not None for content in parts[""].values() for figure in content.figures.values()
    )
    assert len(data_set_sentences(found, [])) == 2


def test_a_row_without_a_data_set_is_named() -> None:
    table = TWO.copy()
    table.loc[4, "set"] = None
    with pytest.raises(ValueError, match="data: row 5 names no data set, where others do"):
        environments(table)
