"""The content of a section, independent of how the page, the Markdown text and the table files show it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.fairness.card import PASS, Card
from analysis.names import brief
from analysis.statistics.intervals.student import Estimate
from analysis.wording import NONE, Scale, interval, percent

#: Characters of a text in a table, such as the message of an error.
_LONGEST = 1000

#: Kinds of columns: words are aligned left, numbers right, counts right without a line break.
TEXT, NUMBER, COUNT = "text", "number", "count"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A value as readers see it, the text below it, and the key for sorting its column."""

    text: str
    below: str = ""
    sort: float | str | None = None  # the text if None
    link: str = ""  # anchor in the page that the text links to
    tone: str = ""  # of a decision: better | worse | equal | open


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column's title and kind."""

    title: str
    kind: str = NUMBER


@dataclass(frozen=True, kw_only=True)
class ShownTable:
    """A table for readers; each row has one cell for each column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    note: str = ""  # below it
    on_page: bool = True  # otherwise only in the files for papers


@dataclass(frozen=True, kw_only=True)
class ShownFigure:
    """A figure that is drawn on demand, and the name of the data table that it shows.

    A figure for papers has `column`, which draws it for one column; `build` then draws it across two.
    """

    build: Callable[[], Figure | None]  # None where there is nothing to draw
    column: Callable[[], Figure | None] | None = None
    caption: str
    data: str = ""


@dataclass(frozen=True, kw_only=True)
class Content:
    """A section. Every field except the title may be empty; `lead` then gives the reason."""

    title: str
    lead: str = ""
    sentences: tuple[str, ...] = ()  # results, most important first
    tables: tuple[ShownTable, ...] = ()
    figures: Mapping[str, ShownFigure] = field(default_factory=dict)  # by file name
    data: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # files of tables, by name
    cards: tuple[Card, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()  # term and text
    listing: str = ""  # text in fixed width
    folded: bool = False  # shown on demand where the page can
    data_set: str = ""  # the data set of this section, on a page of several

    @property
    def passed(self) -> str:
        """The titles of the cards that pass."""
        return ", ".join(card.title for card in self.cards if card.level == PASS)

    @property
    def heading(self) -> str:
        """The title, with the data set on a page of several."""
        return f"{self.data_set}: {self.title}" if self.data_set else self.title


def table(
    columns: Sequence[Sequence[str]],
    rows: Sequence[Sequence[object]],
    *,
    title: str = "",
    note: str = "",
    on_page: bool = True,
) -> ShownTable:
    """A table; columns are titles (of numbers) or pairs (title, kind), rows are cells or plain texts.

    A very long text is shortened; the table files have all of it.
    """
    return ShownTable(
        columns=tuple(
            Column(title=each) if isinstance(each, str) else Column(title=each[0], kind=each[1])
            for each in columns
        ),
        rows=tuple(
            tuple(cell if isinstance(cell, Cell) else Cell(text=brief(str(cell), _LONGEST)) for cell in row)
            for row in rows
        ),
        title=title,
        note=note,
        on_page=on_page,
    )


def score_cell(estimate: Estimate, scale: Scale) -> Cell:
    """A score and, below it, its interval or the reason why it has none."""
    return Cell(
        text=scale.value(estimate.value),
        below=with_note(scale.interval(estimate), estimate),
        sort=scale.metric.shown(estimate.value),
    )


def share_cell(estimate: Estimate) -> Cell:
    """A share in percent and, below it, its interval or the reason why it has none."""
    return Cell(
        text=percent(estimate.value),
        below=with_note(interval(estimate), estimate),
        sort=100 * estimate.value,
    )


def gap_cell(estimate: Estimate, scale: Scale) -> Cell:
    """A difference of scores, where plus is better, and below it its interval or the reason why it has none."""
    return Cell(
        text=scale.gap(estimate.value),
        below=with_note(scale.gap_interval(estimate), estimate),
        sort=scale.metric.factor * estimate.value,
    )


def number_cell(value: float, form: str = ".3g", *, below: str = "") -> Cell:
    """A plain number."""
    return Cell(text=signed(value, form), below=below, sort=value)


def bracket(estimate: Estimate, form: str) -> str:
    """The ends of a plain number's interval, and the estimate's note."""
    ends = f"[{signed(estimate.low, form)}, {signed(estimate.high, form)}]" if estimate.has_interval else ""
    return with_note(ends, estimate)


def with_note(ends: str, estimate: Estimate) -> str:
    """The text of an interval, which may be empty, and below it the estimate's note."""
    return "\n".join(filter(None, [ends, estimate.note]))


def signed(value: float, form: str) -> str:
    """A number with a true minus sign; a zero has no sign."""
    if not np.isfinite(value):
        return NONE
    text = f"{value:{form}}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "−")
