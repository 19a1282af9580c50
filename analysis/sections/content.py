"""What a section of a report says, apart from how a page, a text or a file of tables shows it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.fairness.card import Card
from analysis.statistics.intervals import Estimate
from analysis.wording import NONE, Scale, interval, percent

#: Kinds of columns: words to the left, numbers to the right, counts to the right without a break.
TEXT, NUMBER, COUNT = "text", "number", "count"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A value as readers see it, what stands below it, and what its column is sorted by."""

    text: str
    below: str = ""
    sort: float | str | None = None  # the text where not given
    link: str = ""  # anchor in the page that the text leads to


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column's title and kind."""

    title: str
    kind: str = NUMBER


@dataclass(frozen=True, kw_only=True)
class ShownTable:
    """A table for readers; each row has a cell a column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    note: str = ""  # below it


@dataclass(frozen=True, kw_only=True)
class ShownFigure:
    """A figure that is drawn on demand, with the name of the data table that it shows."""

    build: Callable[[], Figure | None]  # None where there is nothing to draw
    caption: str
    data: str = ""


@dataclass(frozen=True, kw_only=True)
class Content:
    """A section. Everything may be empty; `lead` then says why."""

    title: str
    lead: str = ""
    sentences: tuple[str, ...] = ()  # what is found, most important first
    tables: tuple[ShownTable, ...] = ()
    figures: Mapping[str, ShownFigure] = field(default_factory=dict)  # by file name
    data: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # files of tables, by name
    cards: tuple[Card, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()  # term and text
    listing: str = ""  # text in fixed width
    folded: bool = False  # shown on demand where the page can
    data_set: str = ""  # that it is about, on a page of several

    @property
    def heading(self) -> str:
        """The title, with the data set that it is about."""
        return f"{self.data_set}: {self.title}" if self.data_set else self.title


def table(
    columns: Sequence[Sequence[str]],
    rows: Sequence[Sequence[object]],
    *,
    title: str = "",
    note: str = "",
) -> ShownTable:
    """A table of titles (numbers) or (title, kind), and of cells or plain texts."""
    return ShownTable(
        columns=tuple(
            Column(title=each) if isinstance(each, str) else Column(title=each[0], kind=each[1])
            for each in columns
        ),
        rows=tuple(
            tuple(cell if isinstance(cell, Cell) else Cell(text=str(cell)) for cell in row) for row in rows
        ),
        title=title,
        note=note,
    )


def score_cell(estimate: Estimate, scale: Scale) -> Cell:
    """A score with, below it, its interval or why there is none."""
    return Cell(
        text=scale.value(estimate.value),
        below=with_note(scale.interval(estimate), estimate),
        sort=scale.metric.shown(estimate.value),
    )


def share_cell(estimate: Estimate) -> Cell:
    """A share in percent, likewise."""
    return Cell(
        text=percent(estimate.value),
        below=with_note(interval(estimate), estimate),
        sort=100 * estimate.value,
    )


def gap_cell(estimate: Estimate, scale: Scale) -> Cell:
    """A difference of scores, likewise; plus is better."""
    return Cell(
        text=scale.gap(estimate.value),
        below=with_note(scale.gap_interval(estimate), estimate),
        sort=scale.metric.factor * estimate.value,
    )


def number_cell(value: float, form: str = ".3g", *, below: str = "") -> Cell:
    """A plain number."""
    return Cell(text=signed(value, form), below=below, sort=value)


def bracket(estimate: Estimate, form: str) -> str:
    """The ends of a plain number's interval, and what is to be said of it or why there is none."""
    ends = f"[{signed(estimate.low, form)}, {signed(estimate.high, form)}]" if estimate.has_interval else ""
    return with_note(ends, estimate)


def with_note(ends: str, estimate: Estimate) -> str:
    """An interval as it is written, empty without one, and below it what the estimate's note says."""
    return "\n".join(filter(None, [ends, estimate.note]))


def signed(value: float, form: str) -> str:
    """A number with a true minus sign and without a signed zero."""
    if not np.isfinite(value):
        return NONE
    text = f"{value:{form}}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "−")
