"""Writes tables for readers as LaTeX, for papers: `\\input` them. The only package that they need is booktabs."""

from collections.abc import Sequence

from analysis.sections.content import TEXT, Cell, ShownTable

#: Characters that LaTeX reads as commands, and signs that its default fonts lack.
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "–": "--",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "\N{NO-BREAK SPACE}": "~",
    "\n": ", ",
}
_TRANSLATION = str.maketrans(_ESCAPES)


def render_latex(tables: Sequence[ShownTable]) -> str:
    """Every table as one `tabular` with rules, with its title as a comment above and its note below."""
    return "% needs \\usepackage{booktabs}\n" + "\n".join(_tabular(table) for table in tables)


def escape(text: str) -> str:
    """The text escaped, so that LaTeX prints it unchanged."""
    return text.translate(_TRANSLATION)


def _tabular(table: ShownTable) -> str:
    columns = "".join("l" if column.kind == TEXT else "r" for column in table.columns)
    lines = [
        *_comment(table.title),
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        _row([column.title for column in table.columns]),
        "\\midrule",
        *(_row([_value(cell) for cell in row]) for row in table.rows),
        "\\bottomrule",
        "\\end{tabular}",
        *_comment(table.note),
    ]
    return "\n".join(lines) + "\n"


def _row(texts: Sequence[str]) -> str:
    return " & ".join(map(_cell, texts)) + r" \\"


def _cell(text: str) -> str:
    """Escaped text. LaTeX would read a bracket or star at the start of a row as part of the line break before it."""
    return "{}" + escape(text) if text.startswith(("[", "*")) else escape(text)


def _value(cell: Cell) -> str:
    between = " " if cell.below.startswith("[") else "; "
    return between.join(filter(None, [cell.text, cell.below]))


def _comment(text: str) -> list[str]:
    return [f"% {' '.join(text.split())}"] if text else []
