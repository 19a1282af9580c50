"""The page loads nothing from elsewhere, and the data of its figures lie beside it."""

import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.data_sets import analyse_data_sets
from analysis.model.table import build_table
from analysis.report.sections.content import Content, table
from analysis.report.sections.groups import grouped
from analysis.report.sections.lacking import shortened, without_results
from analysis.report.write import write_data_sets, write_report
from analysis.wording import NONE
from tests.analysis.conftest import make_study
from tests.analysis.report.pages import visible_words


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(*make_study(), tmp_path_factory.mktemp("report"))


def test_every_figure_names_a_table_that_is_there(written: Path) -> None:
    html = written.read_text()
    named = re.findall(r"Data: (tables/\w+\.csv)", html)
    assert named
    assert len(named) == html.count("<figure") - 1  # the picture of the verdict, beside its own table
    assert all((written.parent / name).is_file() for name in named)


def test_the_page_may_load_nothing(written: Path) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', written.read_text())
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src data:;")
    assert "http" not in policy[1]


def test_scripts_and_data_are_in_the_page(written: Path) -> None:
    html = written.read_text()
    assert html.count("<script") == html.count("</script>") == 2
    assert "createExplorer(host, data)" in html
    assert html.index('class="interactive"') > html.index('id="surfaces"')


@pytest.mark.slow
def test_every_data_set_has_its_explorer(tmp_path: Path) -> None:
    planned, records, info = make_study()
    table = build_table(planned, records)
    tables = [table.assign(data=name, trial_id=name + table["trial_id"]) for name in ("cats", "dogs")]
    environments = analyse_data_sets(pd.concat(tables, ignore_index=True), info)
    html = write_data_sets(environments, tmp_path).read_text()
    sections = html.split("<section id=")
    explored = [part.split('"')[1] for part in sections if 'class="interactive"' in part]
    assert explored == ["cats_surfaces", "dogs_surfaces"]


def test_the_page_is_short_and_has_no_jargon(written: Path) -> None:
    html = written.read_text()
    assert visible_words(html) < 2_600
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
    for word in ("arm", "arms", "cross-fitted", "main axis", "Holm", "no unit"):
        assert not re.search(rf"\b{word}\b", text), word


def test_what_is_hidden_from_readers_stays_in_the_files() -> None:
    sections = {
        "a": Content(title="A", tables=(table([("Loss", "text"), "Score"], [["x", "1"], ["y", "2"]]),)),
        "b": Content(title="B", lead="There is one batch size."),
        "c": Content(title="C", tables=(table([("Loss", "text"), "Score"], [["x", NONE]]),)),
    }
    short = shortened(sections, loss="method", hidden={"y"})
    (shown,) = short["a"].tables
    assert shown.columns[0].title == "Method"
    assert [row[0].text for row in shown.rows] == ["x"]
    assert len(sections["a"].tables[0].rows) == 2
    lacking = without_results(short, ())
    assert list(lacking.values()) == ["B (there is one batch size)", "C"]
    assert [list(group.sections) for group in grouped(short, lacking)] == [["a"]]
