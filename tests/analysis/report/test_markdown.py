"""Texts stand in Markdown as they are: a reader of Markdown finds the same text and no markup."""

from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from analysis.names import visible
from analysis.report.markdown import code_block, inline, line, paragraph
from tests.analysis.hostile import NAMES


class Parsed(HTMLParser):
    """The tags and the text of a piece of HTML."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


TEXTS = [
    *NAMES,
    " lead",
    "    code",
    "_x_ *y* __z__",
    "```",
    "<!-- c",
    "http://x.y",
    "a\\",
    "12) x",
    "+ x",
    "=",
    "&lt;",
]


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_is_markup(text: str) -> None:
    shown = visible(text)
    for markdown, tags in (
        (f"# {inline(text)}", ["h1"]),
        (f"- {line(text)}", ["ul", "li"]),
        (f"- **{inline('x' + text + 'x')}**: y", ["ul", "li", "strong"]),
        (line(text), ["p"]),
    ):
        found = Parsed(markdown)
        assert found.tags == tags, markdown
        assert shown in found.text
    row = Parsed(f"| a | b |\n| :-- | --: |\n| {inline(text)} | 2 |")
    assert row.tags.count("td") == 2
    assert shown in row.text


def test_numbers_and_intervals_stay_readable() -> None:
    text = "a is better: 93.1 % [90.2, 96.0], p 0.01, test_accuracy (mean)."
    assert line(text) == text


def test_lines_of_a_paragraph_stay() -> None:
    assert paragraph("one\n# two\n\n- three") == "one\n\\# two\n\n\\- three"


def test_no_text_ends_a_code_block() -> None:
    assert Parsed(code_block("a\n```\n<b>\n````\n# c")).tags == ["pre", "code"]
