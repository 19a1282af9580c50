"""The one place where texts become Markdown: no name is markup (CommonMark and GitHub's tables and mathematics)."""

import re

from analysis.names import visible

#: Characters that are markup anywhere; an underscore or bracket only where it may open or close something.
_MARKUP = re.compile(r"[\\`*~$#|]|(?<![^\W_])_|_(?![^\W_])|[\[\]](?=[\[\](:^])|!(?=\[)")

#: Entities, tags and automatic links.
_HTML = re.compile(r"[<>]|&(?=#?\w+;)")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}

#: Beginnings of a line that open a list, a quotation, a rule, a link or code.
_OPENING = re.compile(r"([-+=\[]|\d{1,9}(?=[.)]))")
_SPACES = re.compile(r"^ +| +$")


def inline(text: str) -> str:
    r"""A text within a line: of a heading, a cell of a table, or after other text.

    >>> print(inline("*a* <b> [x](y) snake_case _x_"))
    \*a\* &lt;b&gt; [x\](y) snake_case \_x\_
    """
    escaped = _MARKUP.sub(r"\\\g<0>", visible(text))
    escaped = _HTML.sub(lambda found: _ENTITIES[found[0]], escaped)
    return _SPACES.sub(lambda found: "&#32;" * len(found[0]), escaped)


def line(text: str) -> str:
    r"""A text that is a line or an item of a list by itself.

    >>> print(line("- 1. x"))
    \- 1. x
    """
    escaped = inline(text)
    opening = _OPENING.match(escaped)
    if opening is None:
        return escaped
    end = opening.end()
    return f"{escaped[:end]}\\{escaped[end:]}" if opening[1].isdigit() else f"\\{escaped}"


def paragraph(text: str) -> str:
    """A text that may have several lines."""
    return "\n".join(line(each) if each.strip() else "" for each in text.splitlines())


def code_block(text: str) -> str:
    """A text in fixed width; its fence is longer than any row of backticks in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}\n{visible(text, lines=True).strip()}\n{fence}"
