"""Names that any part of a report might take for something else."""

#: What a record may contain to reach the terminal, another page, or a program of the reader.
TEXTS = (
    "\x1b[2J\x1b[31mred\x1b[0m",  # clears the screen
    "\x1b]8;;https://example.org\x07link\x1b]8;;\x07",  # a link
    "\x1b]52;c;cm0gLXJm\x07",  # fills the clipboard
    "\x9b31m\x85\x90",  # the same controls in one byte
    "\u202e\u2066gpj.exe\u2069\u200f",  # directions
    "a\u200b\u2060\u2062\u3164\U000e0041b",  # without a shape
    "line\nstudy: all is well\r\u2028\u2029\x0b\x0cend",  # further lines
    "nul\x00del\x7f",
    "a" + "\u0301" * 3000,  # marks that cover other lines
    "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>",
    "</script><!--<script>window.ran = 1//",
    "[a](javascript:window.ran=1) ![b](https://example.org/b.png) <https://example.org>",
    "'; touch ran; echo '$(touch ran)`touch ran`",  # the reader's shell
    "[red]a[/red] [link=https://example.org]b[/link] :smile:",
    "\\input{ran} $x$ %",
    "=cmd|' /C calc'!A1",
)

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
