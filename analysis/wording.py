"""Texts for numbers and lists in reports."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.model.metric import Metric
from analysis.names import columns, visible
from analysis.statistics.intervals.student import Estimate

NONE = "–"

SPACE = "\N{NO-BREAK SPACE}"

_MORE_DIGITS = 9  # an end that needs more of them lies on the border

#: Stands after a wide character while its line is measured; no text has this character.
_SECOND_COLUMN = "\ufdd0"


def percent(share: float) -> str:
    """A share of 1 in percent, with one decimal and without the sign %."""
    return f"{100 * share:.1f}" if math.isfinite(share) else NONE


@dataclass(frozen=True)
class Scale:
    """Writes scores of a metric in shown units.

    With a `tolerance`, ends of intervals have the digits that show on which side of it they lie.
    """

    metric: Metric
    tolerance: float = 0.0  # a difference of scores, at least 0

    def value(self, score: float) -> str:
        """A score without its unit."""
        shown = self.metric.shown(score)
        return f"{shown:.{self.metric.digits}f}".replace("-", "−") if math.isfinite(shown) else NONE

    def size(self, difference: float) -> str:
        """The absolute size of a difference of scores; one beyond the possible range is shown as such."""
        if self.metric.span < difference < math.inf:
            return f"over {self.metric.factor * self.metric.span:g}"
        shown = self.metric.factor * difference
        return f"{shown:.{self.metric.digits}f}" if math.isfinite(shown) else NONE

    def exact_size(self, difference: float) -> str:
        """The size of a difference, with two significant digits if it is below the metric's digits."""
        text, shown = self.size(difference), self.metric.factor * difference
        return text if text.strip("0.") or not shown else f"{shown:.2g}"

    def gap(self, difference: float) -> str:
        """A difference of scores with its sign; plus is better."""
        if not math.isfinite(difference):
            return NONE
        text = f"{self.metric.factor * difference:+.{self.metric.digits}f}".replace("-", "−")
        return text[1:] if not text.strip("+−0.") else text

    def end(self, difference: float) -> str:
        """An end of a difference's interval, as by `gap`, with more digits where rounding hides the decision.

        It has them where rounding would move it onto 0 or the tolerance: a decided interval never reads as one that
        touches 0, and an open one never as one that lies within the tolerance.
        """
        shown, tolerance = self.metric.factor * difference, self.metric.factor * self.tolerance
        if not math.isfinite(shown):
            return NONE
        for digits in range(self.metric.digits, self.metric.digits + _MORE_DIGITS):
            text = f"{shown:+.{digits}f}"
            if all(_side(float(text), at) == _side(shown, at) for at in (0.0, tolerance, -tolerance)):
                break
        else:  # on it, but for the error of floating point
            return self.gap(difference)
        return text.replace("-", "−") if float(text) else self.gap(difference)

    def with_unit(self, score: float) -> str:
        """A score with its unit, such as `93.1 %`."""
        text = self.value(score)
        return text if text == NONE or not self.metric.unit else f"{text}{SPACE}{self.metric.unit}"

    def interval(self, estimate: Estimate) -> str:
        """The ends of a score's interval, lower number first; see `interval`."""
        ends = (
            (estimate.low, estimate.high) if self.metric.higher_is_better else (estimate.high, estimate.low)
        )
        return _bracket(estimate, [self.value(end) for end in ends])

    def gap_interval(self, estimate: Estimate) -> str:
        """The ends of a difference's interval."""
        return _bracket(estimate, [self.end(end) for end in (estimate.low, estimate.high)])

    def with_interval(self, estimate: Estimate) -> str:
        """A text such as `93.1 % [90.2, 96.0]`, or only the value."""
        return f"{self.with_unit(estimate.value)} {self.interval(estimate)}".rstrip()


def _side(value: float, border: float) -> int:
    return (value > border) - (value < border)


def interval(estimate: Estimate) -> str:
    """The ends of a share's interval as `[low, high]` in percent; empty without an interval or without spread."""
    return _bracket(estimate, [percent(end) for end in (estimate.low, estimate.high)])


def with_interval(estimate: Estimate) -> str:
    """A share such as `71.0 % [64.1, 78.0]`, or only the value."""
    text = f"{percent(estimate.value)}{SPACE}%"
    return f"{text} {interval(estimate)}".rstrip() if math.isfinite(estimate.value) else NONE


def _bracket(estimate: Estimate, ends: Sequence[str]) -> str:
    if not estimate.has_interval or estimate.low == estimate.high:
        return ""
    return f"[{ends[0]},{SPACE}{ends[1]}]"


def p_value(p: float) -> str:
    """A p-value with two digits; a small one as a bound."""
    if not math.isfinite(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def number(value: float | str) -> str:
    """An axis value: three significant digits, a whole number from 1000 on; a category as its visible text."""
    if isinstance(value, str):
        return visible(value) or "unset"
    if not math.isfinite(value):
        return NONE
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def opened(text: str) -> str:
    """The text with a capital letter, for the start of a sentence."""
    return text[:1].upper() + text[1:]


def listing(names: Sequence[str]) -> str:
    """A text such as `A, B and C`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def wrapped(name: str, *, width: int = 28) -> str:
    """A long name in several lines, for titles and legends."""
    spaced = "".join(char + _SECOND_COLUMN * (columns(char) == 2) for char in name)
    return "\n".join(textwrap.wrap(spaced, width)).replace(_SECOND_COLUMN, "") or name


def counted(count: int, noun: str) -> str:
    """A text such as `1 seed`, `2 seeds` or `no seeds`."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def values_with_counts(column: pd.Series, *, most: int = 6) -> str:
    """The only value of a column, or up to `most` values with their counts; empty cells are ignored."""
    counts = column.dropna().map(_plain).value_counts().sort_index()
    if len(counts) == 1:
        return str(counts.index[0])
    shown = [f"{value} ({count} trials)" for value, count in counts.head(most).items()]
    return ", ".join(shown) + (", …" if len(counts) > most else "")


def _plain(value: object) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)
