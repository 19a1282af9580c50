"""The one place where texts become texts of figures: names are drawn literally, whatever they contain.

Figures pass names through `figure_names`, labels of legends through `legend_label` and legends through `add_legend`.
`finish_texts` then brings every other text of a figure into shape: labels of axes, ticks and colour bars.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.ticker import Formatter, LogFormatter

from analysis.names import columns, distinct_names, visible
from analysis.report.plots.fonts import drawable, families_for
from analysis.wording import wrapped

#: The longest name in a title or a legend, in columns.
LONGEST_NAME = 84

_SIZE = 9  # points
_LETTER = 0.078  # inches, mean width of a letter of an axis label of that size
_MANY_PANELS = 30  # columns along the x axis of a panel if three or more are side by side, or fewer
_LINES = 2  # lines of an axis label
_TICK_LINE, _TICK_LINES = 12, 2  # columns and lines of the text of a tick
# The same along the y axis of a figure of one or two panels across.
_ROOMY_TICK_LINE, _ROOMY_TICK_LINES = 28, 3

#: Stands before a label that begins with an underscore, because matplotlib leaves such labels out of legends.
_MARK = "\N{WORD JOINER}"

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def figure_names(names: Iterable[str], *, most: int = LONGEST_NAME) -> dict[str, str]:
    """The text in figures for each name: with all characters visible, not long, and different for different names."""
    shown: dict[str, str] = {}
    for name in dict.fromkeys(names):
        text = drawable(visible(name))
        # A name may look like the code of a character in another one.
        free = itertools.chain([text], (f"{text} ({count})" for count in itertools.count(2)))
        shown[name] = next(each for each in free if each not in shown.values())
    short = distinct_names(shown.values(), most)
    return {name: short[text] for name, text in shown.items()}


def legend_label(text: str) -> str:
    """The label of an artist that `add_legend` shows."""
    return _MARK + text if text.startswith("_") else text


def legend_entries(axes: Iterable[Axes]) -> dict[str, Artist]:
    """The artists with labels, by label. Of equal labels the last counts."""
    found = [ax.get_legend_handles_labels() for ax in axes]
    return {
        label.removeprefix(_MARK): handle
        for handles, labels in found
        for handle, label in zip(handles, labels, strict=True)
    }


def add_legend(place: Figure | Axes, entries: dict[str, Artist], **options: Any) -> Legend:
    """A legend of the entries, whatever their labels are. The options are those of matplotlib's `legend`."""
    legend = place.legend(list(entries.values()), ["label"] * len(entries), **options)
    for text, label in zip(legend.get_texts(), entries, strict=True):
        text.set_text(label)
    return legend


def finish_texts(figure: Figure) -> None:
    """Makes every text of a figure visible, and those of axes short enough for their place.

    Characters that the style's font lacks get an installed font that has them; without any, their codes are drawn.
    """
    for ax in figure.axes:
        width, height = _room(figure, ax)
        for label, most in ((ax.xaxis.label, width), (ax.yaxis.label, height)):
            label.set_text(_fitted(label.get_text(), most))
        _show_ticks(ax.xaxis, roomy=False)
        _show_ticks(ax.yaxis, roomy=width > _MANY_PANELS)
        _turn_long_ticks(ax, width)
    texts: list[Text] = figure.findobj(Text)
    for text in texts:
        text.set_text(_visible_lines(text.get_text()))
    families = list(families_for(_characters(figure, texts)))
    if len(families) > 1:
        for text in texts:
            if len(families_for(text.get_text())) > 1:
                text.set_fontfamily(families)
                text.set_fontweight("normal")  # many fonts have no other weight, and matplotlib would tell
        for ax in figure.axes:
            ax.tick_params(which="both", labelfontfamily=families)


def _characters(figure: Figure, texts: Sequence[Text]) -> set[str]:
    ticks = (text for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for text in _tick_texts(axis))
    return set().union(*(text.get_text() for text in texts), *ticks)


def _tick_texts(axis: Axis) -> list[str]:
    return list(axis.get_major_formatter().format_ticks(axis.get_majorticklocs().tolist()))


def _room(figure: Figure, ax: Axes) -> tuple[int, int]:
    """Columns that fit along the x axis and along the y axis of a panel, in the size of its labels."""
    spec = ax.get_subplotspec()
    rows, across = spec.get_gridspec().get_geometry() if spec is not None else (1, 1)
    width, height = figure.get_size_inches()
    letter = _LETTER * float(ax.xaxis.label.get_fontsize()) / _SIZE
    return int(0.65 * width / across / letter), int(0.9 * height / rows / letter)


def _fitted(text: str, most: int) -> str:
    """A label in lines of at most `most` columns. One that already has several lines only becomes shorter."""
    shown = _visible_lines(text)
    short = distinct_names([shown], _LINES * most)[shown]
    return short if "\n" in short else wrapped(short, width=most)


def _show_ticks(axis: Axis, *, roomy: bool) -> None:
    major, minor = axis.get_major_formatter(), axis.get_minor_formatter()
    if not isinstance(major, _ShownTicks):  # panels that share an axis share its formatters
        axis.set_major_formatter(_ShownTicks(major, roomy=roomy))
        axis.set_minor_formatter(_ShownTicks(minor, roomy=roomy))


def _turn_long_ticks(ax: Axes, width: int) -> None:
    """Turns texts of the x axis that would run into each other."""
    widths = [max(map(columns, text.split("\n"))) for text in _tick_texts(ax.xaxis)]
    if max(widths, default=0) > _TICK_LINE // 2 and sum(widths) > width:
        ax.tick_params(axis="x", rotation=90)


class _ShownTicks(Formatter):
    """The texts of another formatter: visible, short, and with powers of ten without mathematical markup."""

    def __init__(self, inner: Formatter, *, roomy: bool) -> None:
        self._inner = inner
        self._line = _ROOMY_TICK_LINE if roomy else _TICK_LINE
        self._most = self._line * (_ROOMY_TICK_LINES if roomy else _TICK_LINES)

    def set_axis(self, axis: Any) -> None:
        super().set_axis(axis)
        self._inner.set_axis(axis)

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self._shown([self._inner(x, pos)])[0]

    def format_ticks(self, values: Any) -> list[str]:
        return self._shown(self._inner.format_ticks(values))

    def get_offset(self) -> str:
        return self._inner.get_offset()

    def set_locs(self, locs: Any) -> None:
        self._inner.set_locs(locs)

    def _shown(self, texts: Sequence[str]) -> list[str]:
        if isinstance(self._inner, LogFormatter):
            return [_power(text) for text in texts]
        short = figure_names((text for text in texts if "\n" not in text), most=self._most)
        # texts of several lines have their form already
        return [self._lines(short[text]) if text in short else _visible_lines(text) for text in texts]

    def _lines(self, text: str) -> str:
        slack = _TICK_LINE // 2  # a text that is only a little longer stays in one line
        return text if columns(text) <= self._line + slack else wrapped(text, width=self._line)


def _visible_lines(text: str) -> str:
    return "\n".join(drawable(visible(line)) for line in text.split("\n"))


def _power(text: str) -> str:
    """`10⁻³` for matplotlib's markup of a power of ten."""
    plain = re.sub(r"\\mathdefault\{(.*)\}", r"\1", text.strip("$")).replace(r"\times", "×")
    return re.sub(r"\^\{(-?\d+)\}", lambda found: found[1].translate(_SUPERSCRIPTS), plain)
