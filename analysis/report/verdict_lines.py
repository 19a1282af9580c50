"""The verdict for a terminal: the answer, the decisions and their conditions, in a few lines."""

import itertools
import textwrap
from collections.abc import Sequence

from analysis.names import columns, distinct_names
from analysis.report.sections.content import Cell, ShownTable
from analysis.report.verdict import SEPARATOR, Verdict
from analysis.report.verdict_table import NULL_CONTROL, ROBUSTNESS

#: Lines of a verdict, with the one that names the page.
MOST_LINES = 10

_WIDTH = 80
_NAME = 26  # columns of a loss's name
_TITLE = 11  # columns of the lines of a title
_ROWS = 6  # up to this number of compared losses, each has a row, before other things than the answer
_DECIDED = ("better", "worse")


def verdict_lines(verdict: Verdict, *, below: int = 1) -> list[str]:
    """The lines, so few that `below` others fit under them.

    Failed checks and the answer come first, then the table, the conditions, and the further sentences, of which the
    last ones are left out first, because the table has what they say. A table that does not fit tells how many losses
    it leaves out. The only loss that was trained here has the first row.
    """
    room = MOST_LINES - below
    failed = list(verdict.failed[:2])
    if len(verdict.failed) > 2:
        failed[1:] = [f"{len(verdict.failed) - 1} more failed checks stand in the report."]
    first = [*failed, *verdict.before, *verdict.answer[:1]][:room]
    left = room - len(first)
    end = [SEPARATOR.join(verdict.short_conditions)] if verdict.short_conditions else []
    table = _table(verdict.table, left, verdict.own) if verdict.table is not None else []
    end = end[: left - len(table)]
    further = verdict.answer[1 : 1 + left - len(table) - len(end)]
    return [*first, *further, *table, *end]


def _table(table: ShownTable, most: int, own: str) -> list[str]:
    """The titles and the rows of compared losses: `own` first, then those with the largest decided differences.

    None where they do not fit. Null controls are not compared. The only loss of a study has its own values.
    """
    compared = [row for row in table.rows if any(cell.tone for cell in row[1:])]
    only = [
        row
        for row in table.rows
        if not any(cell.text.startswith(NULL_CONTROL) for cell in row[1:]) and _has_value(row)
    ]
    rows = sorted(compared, key=lambda row: (row[0].text != own, *_place(row))) or only
    places = [place for place in range(1, len(table.columns)) if table.columns[place].title != ROBUSTNESS]
    titles = [textwrap.wrap(table.columns[place].title, _TITLE) for place in places]
    heads = [
        list(each) for each in itertools.zip_longest(*(reversed(title) for title in titles), fillvalue="")
    ]
    room = min(most - len(heads), _ROWS)
    if len(rows) > room:
        room -= 2  # for the number of further losses and for the conditions
    if not rows or room < 1:
        return []
    names = distinct_names([row[0].text for row in rows], _NAME)
    body = [[names[row[0].text], *(_text(row[place]) for place in places)] for row in rows[:room]]
    grid = [*(["", *head] for head in reversed(heads)), *body]
    grid[len(heads) - 1][0] = table.columns[0].title
    lines = _aligned(grid)
    if max(map(columns, lines)) > _WIDTH:
        return []
    more = len(rows) - len(body)
    words = "more loss stands" if more == 1 else "more losses stand"
    return [*lines, *([f"{more} {words} in the report."] if more else [])]


def _place(row: Sequence[Cell]) -> tuple[bool, float, float]:
    """The order of rows: losses with a decision first.

    Of these, a larger first difference of the row comes first (it counts as 0 if it is not decided), then a larger
    decided difference in any column.
    """
    sizes = [
        abs(cell.sort) if cell.tone in _DECIDED and isinstance(cell.sort, float) else 0.0 for cell in row[1:]
    ]
    decided = any(cell.tone in _DECIDED for cell in row[1:])
    price = next(
        (size for cell, size in zip(row[1:], sizes, strict=True) if isinstance(cell.sort, float)), 0.0
    )
    return not decided, -price, -max(sizes, default=0.0)


def _has_value(row: Sequence[Cell]) -> bool:
    return any(any(map(str.isdigit, cell.text)) for cell in row[1:])


def _text(cell: Cell) -> str:
    return cell.text.replace("\n", " ")


def _aligned(grid: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(columns(row[place]) for row in grid) for place in range(len(grid[0]))]
    return [
        "  ".join(
            text + " " * (width - columns(text)) for text, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in grid
    ]
