"""The report as Markdown, for repositories and supplements of papers."""

from collections.abc import Mapping, Sequence

from analysis.figures.draw import DrawnFigure
from analysis.sections.content import TEXT, Cell, Content, ShownTable


def render_markdown(
    name: str,
    description: str,
    sentences: Sequence[str],
    sections: Mapping[str, Content],
    figures: Mapping[str, DrawnFigure],
) -> str:
    """The same sections as on the page, with links to the figures in files beside it."""
    parts = [f"# {name}", *([description] if description else [])]
    parts += ["## Verdict", _bullets(sentences)]
    for content in sections.values():
        parts += _section(content, figures)
    return "\n\n".join(parts) + "\n"


def _section(content: Content, figures: Mapping[str, DrawnFigure]) -> list[str]:
    parts = [f"## {content.heading}", content.lead, _bullets(content.sentences)]
    for table in content.tables:
        parts += [f"### {table.title}" if table.title else "", _table(table), table.note]
    for name, figure in content.figures.items():
        if name in figures:
            parts.append(f"![{figure.caption}](figures/{name}.png)")
    parts.append(_bullets([f"**{card.level}** {card.title}: {card.text}" for card in content.cards]))
    parts.append(_bullets([f"**{term}**: {text}" for term, text in content.facts]))
    parts.append(f"```\n{content.listing.strip()}\n```" if content.listing else "")
    return [part for part in parts if part]


def _bullets(texts: Sequence[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _table(table: ShownTable) -> str:
    head = [column.title for column in table.columns]
    rules = [":--" if column.kind == TEXT else "--:" for column in table.columns]
    rows = [head, rules, *([_cell(cell) for cell in row] for row in table.rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(cell: Cell) -> str:
    text = " ".join(part.replace("\n", ", ") for part in (cell.text, cell.below) if part)
    return text.replace("|", "\\|").replace("<", "&lt;")
