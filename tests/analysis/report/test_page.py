"""The page loads nothing from elsewhere, and the data of its figures lie beside it."""

import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.data_sets import analyse_data_sets
from analysis.model.table import build_table
from analysis.report.write import write_data_sets, write_report
from tests.analysis.conftest import make_study


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(*make_study(), tmp_path_factory.mktemp("report"))


def test_every_figure_names_a_table_that_is_there(written: Path) -> None:
    html = written.read_text()
    named = re.findall(r"Data: (tables/\w+\.csv)", html)
    assert named
    assert len(named) == html.count("<figure")
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


def test_every_data_set_has_its_explorer(tmp_path: Path) -> None:
    planned, records, info = make_study()
    table = build_table(planned, records)
    tables = [table.assign(data=name, trial_id=name + table["trial_id"]) for name in ("cats", "dogs")]
    environments = analyse_data_sets(pd.concat(tables, ignore_index=True), info)
    html = write_data_sets(environments, tmp_path).read_text()
    sections = html.split("<section id=")
    explored = [part.split('"')[1] for part in sections if 'class="interactive"' in part]
    assert explored == ["cats_surfaces", "dogs_surfaces"]
