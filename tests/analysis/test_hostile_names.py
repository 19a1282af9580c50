"""A report of hostile names is complete: each name reads back from each form, and nothing lies outside its folder."""

import itertools
import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from analysis.csv_text import cell_of
from analysis.library import write_table_report
from analysis.names import visible
from analysis.report.latex import escape
from analysis.report.plots import fonts
from tests.analysis.hostile import NAMES, TEXTS

#: As losses, to keep the report small; tests of the single forms have all names.
LOSSES = ["$$", *(name for name in NAMES if name[0] in "<{'|[el\u202e数x" and name != "e\u0301 τ→π")]
VALUES = ("$v$", "_数")
DATA = ("../../d", "D")
X, METRIC = "../../$x_", "=acc"


class Texts(HTMLParser):
    """The texts of all table cells, and the tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: list[str] = []
        self._in = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag == "td":
            self.cells.append("")
        self._in = tag == "td"

    def handle_endtag(self, tag: str) -> None:
        self._in = False

    def handle_data(self, data: str) -> None:
        if self._in:
            self.cells[-1] += data


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = pd.DataFrame(
        [
            (data, loss, seed, x, value, 0.5 + 0.01 * place + 0.02 * seed + 0.001 * x)
            for place, loss in enumerate(LOSSES)
            for data, seed, x, value in itertools.product(DATA, (0, 1), (2, 4), VALUES)
            if data == DATA[0] or place < 2
        ],
        columns=["data", "loss", "seed", X, "{{main}}", METRIC],
    )
    rows["error_message"], rows["status"] = None, "ok"
    rows.loc[0, ["status", METRIC, "error_message"]] = ["crashed", None, "<i>no</i> $x$ \x1b[31m `c` |"]
    for place, text in enumerate(TEXTS, start=1):
        rows.loc[place, ["status", METRIC, "error_message"]] = ["crashed", None, text]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fonts, "installed_families", lambda: ())
        folder = tmp_path_factory.mktemp("around") / "a" / "b" / "report"
        return write_table_report(
            rows, folder, metric=METRIC, x=X, main="{{main}}", data="data", status="status", name="<$n_|"
        ).parent


def test_all_files_are_in_the_folder_under_safe_names(written: Path) -> None:
    around = written.parents[2]
    names = [path.relative_to(around).as_posix() for path in around.rglob("*") if path.is_file()]
    assert all(name.startswith("a/b/report/") for name in names)
    assert all(re.fullmatch(r"[a-z0-9_./]+", name) and len(name) < 120 for name in names)
    assert len({name.lower() for name in names}) == len(names)


def test_no_file_has_a_control_character(written: Path) -> None:
    texts = [path for path in written.rglob("*") if path.suffix in (".html", ".md", ".csv", ".tex", ".svg")]
    assert {path.suffix for path in texts} == {".html", ".md", ".csv", ".tex", ".svg"}
    for path in texts:
        text = path.read_bytes().decode()
        assert visible(text, lines=True) == text, path


def test_the_page_has_every_message_as_text(written: Path) -> None:
    cells = "\n".join(Texts((written / "report.html").read_text(encoding="utf-8")).cells)
    begun = [unicodedata.normalize("NFC", text)[:900] for text in TEXTS]
    assert [text for text in begun if visible(text, lines=True) not in cells] == []
    assert "more characters)" in cells  # the marks


def test_the_page_has_every_name_as_text(written: Path) -> None:
    found = Texts((written / "report.html").read_text(encoding="utf-8"))
    assert {visible(name) for name in (*LOSSES, *DATA)} <= set(found.cells)
    assert not {"b", "i"} & set(found.tags)
    assert found.tags.count("script") == 3  # one explorer a data set, and the page's own
    assert any("<i>no</i> $x$ \\x1b[31m" in cell for cell in found.cells)


def test_the_explorers_have_every_name(written: Path) -> None:
    html = (written / "report.html").read_text(encoding="utf-8")
    explorers = [json.loads(text) for text in re.findall(r'application/json">(.*?)</script>', html)]
    assert [arm["name"] for arm in explorers[0]["arms"]] == [visible(name) for name in LOSSES]
    assert explorers[0]["arms"][0]["x"]["words"] == X
    assert set(explorers[0]["arms"][0]["y"]["values"]) == set(VALUES)


def test_markdown_has_every_name_as_text(written: Path) -> None:
    text = (written / "report.md").read_text(encoding="utf-8")
    found = Texts(MarkdownIt("commonmark").enable("table").render(text))
    assert {visible(name) for name in (*LOSSES, *DATA)} <= set(found.cells)
    assert not {"i", "b", "em", "a", "code"} & set(found.tags)


def test_tables_have_every_name(written: Path) -> None:
    folder = written / "tables" / "d"
    csv = pd.read_csv(folder / "coverage.csv", keep_default_na=False, lineterminator="\n")
    assert [cell_of(cell) for cell in csv["arm"]] == [visible(name, lines=True) for name in LOSSES]
    assert pd.read_parquet(folder / "coverage.parquet")["arm"].tolist() == LOSSES
    latex = (folder / "scores.tex").read_text(encoding="utf-8")
    assert all(escape(visible(name)) in latex for name in LOSSES)
    trials = pd.read_csv(folder / "trials.csv")
    assert trials[f"'{METRIC}"].dtype.kind == "f"


def test_a_section_tells_what_figures_show_instead(written: Path) -> None:
    html = (written / "report.html").read_text(encoding="utf-8")
    section = html.split('<section id="d_names">')[1].split("</section>")[0]
    assert "据 \\u636e, 数 \\u6570, 集 \\u96c6" in section
    long = [name for name in LOSSES if len(name) == 300]
    cells = Texts(section).cells
    assert [cells[cells.index(name) - 1][-2:] for name in long] == [" 1", " 2"]
