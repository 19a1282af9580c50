"""Numbers and lists as the report writes them."""

import math
import textwrap
from collections.abc import Sequence

import pandas as pd

from analysis.statistics.intervals import Estimate

NONE = "–"

_SPACE = "\N{NO-BREAK SPACE}"


def percent(share: float) -> str:
    """A share of 1 in percent, one decimal, without the sign."""
    return f"{100 * share:.1f}" if math.isfinite(share) else NONE


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    if not math.isfinite(difference):
        return NONE
    text = f"{100 * difference:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text


def interval(estimate: Estimate, *, signed: bool = False) -> str:
    """The ends as `[low, high]`, in percent or points; empty without an interval or a spread to build it on."""
    if not estimate.has_interval or estimate.low == estimate.high:
        return ""
    form = points if signed else percent
    return f"[{form(estimate.low)},{_SPACE}{form(estimate.high)}]"


def with_interval(estimate: Estimate) -> str:
    """As `93.1 % [90.2, 96.0]`, or the value alone."""
    text = f"{percent(estimate.value)}{_SPACE}%"
    return f"{text} {interval(estimate)}".rstrip() if math.isfinite(estimate.value) else NONE


def p_value(p: float) -> str:
    """A p-value with two digits, small ones as a bound."""
    if not math.isfinite(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def number(value: float) -> str:
    """An axis value: three significant digits, whole from 1000 on."""
    if not math.isfinite(value):
        return NONE
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def listing(names: Sequence[str]) -> str:
    """As `A, B and C`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def wrapped(name: str, *, width: int = 28) -> str:
    """A long name over several lines, for titles and legends."""
    return "\n".join(textwrap.wrap(name, width)) or name


def counted(count: int, noun: str) -> str:
    """As `1 seed`, `2 seeds`, `no seeds`."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def values_with_counts(column: pd.Series, *, most: int = 6) -> str:
    """The one value of a column, or up to `most` values with their counts; empty ones left out."""
    counts = column.dropna().map(_plain).value_counts().sort_index()
    if len(counts) == 1:
        return str(counts.index[0])
    shown = [f"{value} ({count} trials)" for value, count in counts.head(most).items()]
    return ", ".join(shown) + (", …" if len(counts) > most else "")


def _plain(value: object) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)
