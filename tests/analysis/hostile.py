"""Names that any part of a report might take for something else."""

#: Names by what might misread them.
NAMES = (
    "plain",
    "$$",  # mathematics
    "$\\frac{a}$ \\alpha",
    "_hidden",  # left out of legends
    "a",  # equal but for case
    "A",
    "<b>x</b>&amp;</script>",  # HTML
    "{{7*7}}{%x%}{0}",  # templates
    "=1+1",  # formulas
    "+x",
    "-y",
    "@z",
    '\'=quoted""',
    "|a|`b`*c*~~d~~",  # Markdown
    "[link](x) ![i](y) # #",
    "1. - > [x]: y",
    "[red]r[/red] :smile:",  # markup of the terminal
    "esc\x1b[31m\x07",  # control characters
    "line\nbreak\ttab",
    "\u202egnp\u200f",  # directions
    "😀🎉",
    "数据 集",
    "e\u0301 τ→π",
    "x" * 150 + "1" + "y" * 149,  # too long, and equal when shortened
    "x" * 150 + "2" + "y" * 149,
    "..",  # paths
    "../../up\\C:\\con",
    "CON",
)
