"""The data of the page's explorer of surfaces: every metric of every trial, in a compact form.

All values are as shown to readers (accuracies in percent), rounded to six significant digits. Arms that do not span a
grid of two axes have no surface, so they are left out.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex
from scipy import stats

from analysis.cells import FAILED, MISSING, PRUNED, UNPLANNED, Axis, Cells
from analysis.info import RECORD_COLUMNS, StudyInfo
from analysis.metric import Metric
from analysis.names import spaced, visible
from analysis.plots.style import COLORMAP
from analysis.statistics.intervals import LEVEL, MIN_SEEDS
from analysis.wording import number
from trainables.store.schema import column_unit

#: Largest size of a page's values, in bytes. Metrics beyond it are named and left out; the reported one comes first.
MOST_BYTES = 2_000_000

_DIGITS = 6
_COLORS = 33
_WHERE = {"val": "validation", "test": "test", "z": "projection z", "h": "encoder output h"}

#: Each status in words, and its kind for a reader: ok | failed | missing | unplanned.
_STATUSES = {
    "ok": ("finished", "ok"),
    **{status: (status.replace("_", " "), "failed") for status in FAILED},
    "oom": ("out of memory", "failed"),
    "timeout": ("out of time", "failed"),
    PRUNED: ("stopped early", "missing"),
    MISSING: ("not run", "missing"),
    UNPLANNED: ("not planned", "unplanned"),
}


def explorer_data(
    info: StudyInfo, cells: Mapping[str, Cells], *, most: int = MOST_BYTES
) -> dict[str, Any] | None:
    """Axes, shares of the space, seeds, statuses and values of every arm with a surface, ready for JSON.

    Trials have the order of `Cells`: cells with the main axis fastest, then seeds. None where no arm has a surface,
    or where the values of the reported metric alone have more than `most` bytes. The same rows give the same data.
    """
    shown = {label: item for label, item in cells.items() if item.shape is not None and len(item.axes) == 2}
    columns = _columns(info.metric, list(shown.values()))
    values = {
        column: {label: _values(info.metric, column, item) for label, item in shown.items()}
        for column in columns
    }
    kept = _within(values, most)
    if not kept:
        return None
    return {
        "level": round(100 * LEVEL),
        "student": _student(max(len(item.seeds) for item in shown.values())),
        "tolerance": _rounded(info.metric.factor * info.tolerance),
        "most": _rounded(info.metric.factor * (5 * info.tolerance or min(0.1 * info.metric.span, 1.0))),
        "colors": [to_hex(color) for color in mpl.colormaps[COLORMAP](np.linspace(0, 1, _COLORS))],
        "statuses": [{"name": name, "kind": kind} for name, kind in _STATUSES.values()],
        "metrics": [_metric(info.metric, column) for column in kept],
        "omitted": [visible(column) for column in columns if column not in kept],
        "arms": [
            _arm(info, item, {column: values[column][label] for column in kept})
            for label, item in shown.items()
        ],
    }


def explorer_json(data: Mapping[str, Any]) -> str:
    """The data as JSON in ASCII for use inside a script element: no text in it can end the element."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _columns(metric: Metric, shown: Sequence[Cells]) -> list[str]:
    """Columns that any arm has, the reported one first. Sizes of representations are not metrics."""
    found = dict.fromkeys((metric.reporting_column, metric.selecting_column) if shown else ())
    found |= dict.fromkeys(name for item in shown for name in item.raw if not name.endswith("_dim"))
    return list(found)


def _within(values: Mapping[str, object], most: int) -> list[str]:
    """The first columns whose values fit into `most` bytes."""
    kept, size = [], 0
    for column, each in values.items():
        size += len(json.dumps(each, separators=(",", ":")))
        if size > most:
            break
        kept.append(column)
    return kept


def _student(seeds: int) -> list[float | None]:
    """Half the width of the interval of a mean, in standard errors, for each number of seeds from 0 on."""
    return [
        float(f"{stats.t.ppf(0.5 + LEVEL / 2, count - 1):.8g}") if count >= MIN_SEEDS else None
        for count in range(seeds + 1)
    ]


def _metric(metric: Metric, column: str) -> dict[str, Any]:
    """How to show a column: words, unit, digits, the better direction (0: neither), the value of a failed trial."""
    own = _is_own(metric, column)
    if not own and not _is_accuracy(column):
        return {"column": column, "label": _label(column), "unit": _unit(column), "better": 0}
    worst = metric.worst if column == metric.reporting_column else metric.worst_selecting_value
    low, high = sorted(metric.factor * bound for bound in metric.bounds) if own else (0.0, 100.0)
    bounds = {"low": low if np.isfinite(low) else None, "high": high if np.isfinite(high) else None}
    told = {
        "column": column,
        "label": metric.reported if column == metric.reporting_column else _label(column),
        "unit": metric.unit if own else "%",
        "points": metric.difference_unit if own else "points",
        "digits": metric.digits if own else 1,
        "better": int(metric.sign) if own else 1,
        "worst": _rounded(metric.factor * worst) if own else 0.0,
    }
    return told | bounds


def _is_own(metric: Metric, column: str) -> bool:
    """Whether a column has the reported metric's unit and bounds."""
    chooses = column == metric.selecting_column and not metric.selecting_apart
    return column == metric.reporting_column or chooses


def _is_accuracy(column: str) -> bool:
    """Whether the column is an accuracy of this package's trials, a share of 1.

    Columns of other tables may contain anything.
    """
    return column.endswith("_accuracy") and column in RECORD_COLUMNS


def _label(column: str) -> str:
    where, _, rest = column.partition("_")
    if where not in _WHERE:
        return visible(spaced(column))
    return f"{Metric(name=rest, worst=0.0).words}, {_WHERE[where]}"


def _unit(column: str) -> str:
    """The unit of a column of the record schema; empty for pure numbers and for columns of other tables."""
    unit = column_unit(column) if column in RECORD_COLUMNS else ""
    return "" if unit == "1" else unit


def _arm(info: StudyInfo, cells: Cells, values: Mapping[str, list[float | None]]) -> dict[str, Any]:
    arm, codes = info.arm(cells.arm), {status: code for code, status in enumerate(_STATUSES)}
    return {
        "name": arm.name,
        "x": _axis(cells.axes[0]),
        "y": _axis(cells.axes[1]),
        "seeds": cells.seeds.tolist(),
        "weights": [_rounded(weight) for weight in cells.weights],
        "status": [codes[status] for status in cells.status.ravel()],
        "values": list(values.values()),
    }


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "label": axis.info.axis_label,
        "words": axis.info.words,
        "values": [number(v) for v in axis.values.tolist()],
    }


def _values(metric: Metric, column: str, cells: Cells) -> list[float | None]:
    """The `C * S` values of a column as shown to readers; None where there is none."""
    factor = metric.factor if _is_own(metric, column) else 100.0 if _is_accuracy(column) else 1.0
    raw = cells.raw.get(column, np.full(cells.status.shape, np.nan))
    return [_rounded(value) for value in (factor * raw).ravel()]


def _rounded(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None
