"""The report as Markdown, for repositories and supplements of papers."""

import re
from collections.abc import Iterable, Mapping, Sequence

from analysis.report.markdown import code_block, inline, line, paragraph
from analysis.report.plots.draw import DrawnFigure
from analysis.report.sections.content import TEXT, Cell, Content, ShownTable


def render_markdown(
    name: str,
    description: str,
    sentences: Sequence[str],
    sections: Mapping[str, Content],
    figures: Mapping[str, DrawnFigure],
) -> str:
    """The same sections as on the page, with links to the figures in files beside it."""
    parts = [f"# {inline(name)}", *([paragraph(description)] if description else [])]
    parts += ["## Verdict", _bullets(sentences)]
    for content in sections.values():
        parts += _section(content, figures)
    return "\n\n".join(parts) + "\n"


def _section(content: Content, figures: Mapping[str, DrawnFigure]) -> list[str]:
    parts = [f"## {inline(content.heading)}", paragraph(content.lead), _bullets(content.sentences)]
    for table in content.tables:
        title = f"### {inline(table.title)}" if table.title else ""
        parts += [title, _table(table), paragraph(table.note)]
    for name, figure in content.figures.items():
        if name in figures:
            caption = re.sub(r"(?<!\\)[\[\]]", r"\\\g<0>", inline(figure.caption))
            parts.append(f"![{caption}](figures/{name}.png)")
    parts.append(
        _items(f"**{card.level}** {inline(card.title)}: {inline(card.text)}" for card in content.cards)
    )
    parts.append(_items(f"**{inline(term)}**: {inline(text)}" for term, text in content.facts))
    parts.append(code_block(content.listing) if content.listing else "")
    return [part for part in parts if part]


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
