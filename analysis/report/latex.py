"""Writes tables for readers as LaTeX, for papers: `\\input` them. The only package that they need is booktabs.

pdfLaTeX prints Latin and Greek letters. It prints the code of any other character; XeLaTeX and LuaLaTeX print the
character itself, if the font of the document has it.
"""

import re
import unicodedata
from collections.abc import Sequence

from analysis.names import code, visible
from analysis.report.sections.content import TEXT, Cell, ShownTable

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
    "`": r"\textasciigrave{}",
    "³": "$^3$",
    "⁻": "$^-$",
}

#: Pairs of characters that its fonts print as one.
_LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=,)(?=,)")

#: Letters that its default fonts have, besides ASCII; of the Latin letters in this range these few are absent.
_LATIN = frozenset(map(chr, range(0xA1, 0x180))) - frozenset("«»ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ")
_KNOWN = _LATIN | frozenset("†‡•’‘„€")

#: Greek letters, each before the name of its command.
_GREEK_NAMES = (
    "α alpha β beta γ gamma δ delta ε epsilon ζ zeta η eta θ theta ι iota κ kappa λ lambda μ mu ν nu ξ xi π pi ρ rho "
    "ς varsigma σ sigma τ tau υ upsilon φ phi χ chi ψ psi ω omega Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma "
    "Φ Phi Ψ Psi Ω Omega µ mu"
)
_GREEK = {
    char: f"$\\{name}$"
    for char, name in zip(_GREEK_NAMES.split()[::2], _GREEK_NAMES.split()[1::2], strict=True)
}
_TRANSLATION = str.maketrans(_GREEK | _ESCAPES)

#: Prints a character with engines that know Unicode, and otherwise its code.
_BEYOND = r"\providecommand{\beyondlatin}[2]{\ifdefined\Umathchar#1\else#2\fi}"


def render_latex(tables: Sequence[ShownTable]) -> str:
    """Every table as one `tabular` with rules, with its title as a comment above and its note below."""
    text = "\n".join(_tabular(table) for table in tables)
    command = f"{_BEYOND}\n" if "\\beyondlatin" in text else ""
    return f"% needs \\usepackage{{booktabs}}\n{command}{text}"


def escape(text: str) -> str:
    """The text escaped, so that LaTeX prints it unchanged."""
    plain = unicodedata.normalize("NFC", visible(text, lines=True)).replace("\t", "\\t")
    return "".join(map(_sign, _LIGATURES.sub("\0", plain)))


def _sign(char: str) -> str:
    """A character as LaTeX prints it; a zero character separates two that would become one."""
    if char == "\0":
        return "{}"
    if char.isascii() or ord(char) in _TRANSLATION or char in _KNOWN:
        return char.translate(_TRANSLATION)
    return f"\\beyondlatin{{{char}}}{{{code(char).translate(_TRANSLATION)}}}"


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
    return [f"% {visible(' '.join(text.split()))}"] if text else []
