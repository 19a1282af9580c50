"""The report as Markdown, for repositories and supplements of papers."""

import re
from collections.abc import Collection, Iterable, Mapping

from analysis.fairness.card import PASS
from analysis.report.markdown import code_block, inline, line, paragraph
from analysis.report.plots.draw import DrawnFigure
from analysis.report.sections.content import TEXT, Cell, Content, ShownFigure, ShownTable
from analysis.report.sections.groups import grouped
from analysis.report.sections.lacking import shortened, without_results
from analysis.report.verdict import Verdict


def render_markdown(
    name: str,
    description: str,
    verdict: Verdict,
    sections: Mapping[str, Content],
    figures: Mapping[str, DrawnFigure],
    *,
    loss: str = "loss",
    hidden: Collection[str] = (),
) -> str:
    """The same sections as on the page, with links to the figures in files beside it."""
    parts = [f"# {inline(name)}", *([paragraph(description)] if description else [])]
    parts += ["## Verdict", *_verdict(verdict, figures)]
    short = shortened(sections, loss=loss, hidden=hidden)
    lacking = without_results(short, figures)
    for group in grouped(short, lacking):
        parts += [f"## {inline(group.heading)}"] if group.heading else []
        for content in group.sections.values():
            parts += _section(content, figures, level="###" if group.heading else "##")
    parts += [line(f"Not enough data for: {'; '.join(lacking.values())}.")] if lacking else []
    return "\n\n".join(parts) + "\n"


def _verdict(verdict: Verdict, figures: Mapping[str, DrawnFigure]) -> list[str]:
    """The answer, failed checks, the table of decisions, the picture and the conditions."""
    parts = [line(" ".join(verdict.sentences)), *(f"**{inline(text)}**" for text in verdict.failed)]
    if verdict.table is not None:
        parts += [_table(verdict.table), paragraph(verdict.table.note)]
    parts += [_figure(name, figure) for name, figure in verdict.figures.items() if name in figures]
    return [part for part in (*parts, *(line(text) for text in verdict.notes)) if part]


def _section(content: Content, figures: Mapping[str, DrawnFigure], *, level: str) -> list[str]:
    parts = [
        f"{level} {inline(content.title if level == '###' else content.heading)}",
        paragraph(content.lead),
        _bullets(content.sentences),
    ]
    for table in content.tables:
        title = f"{level}# {inline(table.title)}" if table.title else ""
        parts += [title, _table(table), paragraph(table.note)]
    parts += [_figure(name, figure) for name, figure in content.figures.items() if name in figures]
    cards = [card for card in content.cards if card.level != PASS]
    parts.append(_items(f"**{card.level}** {inline(card.title)}: {inline(card.text)}" for card in cards))
    parts.append(line(f"Passed: {content.passed}.") if content.passed else "")
    parts.append(_items(f"**{inline(term)}**: {inline(text)}" for term, text in content.facts))
    parts.append(code_block(content.listing) if content.listing else "")
    return [part for part in parts if part]


def _figure(name: str, figure: ShownFigure) -> str:
    caption = re.sub(r"(?<!\\)[\[\]]", r"\\\g<0>", inline(figure.caption))
    return f"![{caption}](figures/{name}.png)"


def _bullets(texts: Iterable[str]) -> str:
    return _items(map(line, texts))


def _items(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _table(table: ShownTable) -> str:
    head = [inline(column.title) for column in table.columns]
    rules = [":--" if column.kind == TEXT else "--:" for column in table.columns]
    rows = [head, rules, *([_cell(cell) for cell in row] for row in table.rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(cell: Cell) -> str:
    return inline(" ".join(part.replace("\n", ", ") for part in (cell.text, cell.below) if part))
