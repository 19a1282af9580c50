"""What a section lacks: columns and tables without a number, notes that repeat, and sections without any result."""

import dataclasses
from collections.abc import Collection, Mapping

from analysis.report.sections.content import TEXT, Content, ShownTable
from analysis.wording import NONE, listing, opened

#: The title of the column of losses, before it gets the user's name.
LOSS = "Loss"


def shortened(
    sections: Mapping[str, Content], *, loss: str = "loss", hidden: Collection[str] = ()
) -> dict[str, Content]:
    """The sections as readers see them.

    Columns and tables without a number are left out, and rows of the `hidden` losses; a note of all cells of a column
    stands once. The column of losses has the user's own name, `loss`.
    """
    return {
        name: dataclasses.replace(
            content,
            tables=tuple(
                kept
                for table in content.tables
                if table.on_page and (kept := short_table(_of_losses(table, loss, hidden))) is not None
            ),
        )
        for name, content in sections.items()
    }


def _of_losses(table: ShownTable, loss: str, hidden: Collection[str]) -> ShownTable:
    """A table of losses without the hidden ones, under the user's name; any other table unchanged."""
    if not table.columns or table.columns[0].title != LOSS:
        return table
    first = dataclasses.replace(table.columns[0], title=opened(loss))
    rows = tuple(row for row in table.rows if row[0].text not in hidden)
    return dataclasses.replace(table, columns=(first, *table.columns[1:]), rows=rows)


def short_table(table: ShownTable) -> ShownTable | None:
    """The table without empty columns and repeated notes; None if no column of numbers has one."""
    if not table.rows:
        return None
    numbers = [place for place, column in enumerate(table.columns) if column.kind != TEXT]
    empty = {place for place in numbers if all(row[place].text == NONE for row in table.rows)}
    if numbers and len(empty) == len(numbers):
        return None
    kept = [place for place in range(len(table.columns)) if place not in empty]
    short = dataclasses.replace(
        table,
        columns=tuple(table.columns[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in table.rows),
    )
    return _noted_once(short)


def _noted_once(table: ShownTable) -> ShownTable:
    """A note that stands in every cell of a column, such as `too few seeds`, moves below the table."""
    notes: dict[str, list[int]] = {}
    for place, column in enumerate(table.columns):
        below = {row[place].below for row in table.rows if row[place].text != NONE}
        note = next(iter(below), "")
        if column.kind != "count" and len(below) == 1 and note and "[" not in note and "\n" not in note:
            notes.setdefault(note, []).append(place)
    moved = {place: note for note, places in notes.items() for place in places}
    if len(table.rows) < 2 or not moved:
        return table
    told = [f"No intervals for {_columns(table, places)}: {note}." for note, places in notes.items()]
    rows = tuple(
        tuple(
            dataclasses.replace(cell, below="") if cell.below == moved.get(place) else cell
            for place, cell in enumerate(row)
        )
        for row in table.rows
    )
    return dataclasses.replace(table, rows=rows, note=" ".join(filter(None, [table.note, *told])))


def _columns(table: ShownTable, places: list[int]) -> str:
    if len(places) >= sum(column.kind != TEXT for column in table.columns):
        return "any column"
    return listing([f"“{table.columns[place].title}”" for place in places])


def without_results(sections: Mapping[str, Content], drawn: Collection[str]) -> dict[str, str]:
    """The headings of sections that show no result, each with the reason; `drawn` are names of drawn figures."""
    return {
        name: f"{content.heading.rstrip('?')} ({_reason(content)})" if _reason(content) else content.heading
        for name, content in sections.items()
        if not _has_result(content, drawn)
    }


def _has_result(content: Content, drawn: Collection[str]) -> bool:
    figures = any(name in drawn for name in content.figures)
    return bool(content.tables or figures or content.cards or content.facts or content.listing)


def _reason(content: Content) -> str:
    text = " ".join(content.sentences) or content.lead
    first = text.split(". ")[0].rstrip(".:")
    return first[:1].lower() + first[1:] if len(first.split()) <= 16 else ""
