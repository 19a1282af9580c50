"""What a written report holds: its files, and what its page would fetch."""

import sys
from html.parser import HTMLParser
from pathlib import Path

from analysis.report.verdict import Verdict, study_verdict
from analysis.study_analysis import StudyAnalysis


class Links(HTMLParser):
    """Collects what a page would fetch, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def files(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
    }


def told(verdict: Verdict) -> str:
    """All texts of a verdict, with plain spaces."""
    table = verdict.table.rows if verdict.table else ()
    cells = [f"{cell.text} {cell.below}" for row in table for cell in row]
    note = verdict.table.note if verdict.table else ""
    texts = (*verdict.sentences, *verdict.failed, *cells, note, *verdict.notes)
    return " ".join(texts).replace("\N{NO-BREAK SPACE}", " ")


def told_of(findings: StudyAnalysis) -> str:
    """All texts of the verdict on a study."""
    return told(study_verdict(findings))


def visible_words(html: str) -> int:
    """The number of words that a reader of the page can see, those in folded parts included.

    Scripts, styles, the title of the window and texts for images that are not shown do not count.
    """
    page = _Words()
    page.feed(html)
    return page.words


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words = 0
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "title")

    def handle_data(self, data: str) -> None:
        self.words += 0 if self._hidden else len(data.split())


if __name__ == "__main__":  # python -m tests.analysis.report.pages REPORT.html: words of pages
    for name in sys.argv[1:]:
        print(name, visible_words(Path(name).read_text(encoding="utf-8")))
