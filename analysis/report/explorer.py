"""The data of the page's explorer of surfaces: every metric of every cell, and packed, of every trial.

All values are as shown to readers (accuracies in percent). Those of cells have eight significant digits, those of
trials six. Arms that do not span a grid of two axes have no surface, so they are left out.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from analysis.model.cells import FAILED, MISSING, PRUNED, UNPLANNED, Axis, Cells, axis_values
from analysis.model.info import RECORD_COLUMNS, StudyInfo
from analysis.model.meaning import LOWER_TEMPERATURE
from analysis.model.metric import Metric
from analysis.names import spaced, visible
from analysis.report.packed_values import pack_bytes, pack_codes, pack_numbers
from analysis.report.plots.style import COLORMAP
from analysis.statistics.intervals.student import LEVEL, student_interval
from analysis.wording import number
from trainables.store.schema import column_unit

#: Largest size of a page's values, in bytes. The reported metric comes first. Metrics whose cells do not fit are left
#: out, and named. Of those that fit, the first ones have the values of their trials too.
MOST_BYTES = 5_000_000

_CELL_DIGITS = 8  # so that a cell at the edge of the tolerance is inside here if it is in the report
_COLORS = 33

#: Digits of an id that also tell a trial apart from those of other studies in a store: 16^10 is about 10^12.
_LEAST_DIGITS = 10
_ID = re.compile(r"[0-9a-f]{8,}")
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
    info: StudyInfo,
    cells: Mapping[str, Cells],
    *,
    most: int = MOST_BYTES,
    table: pd.DataFrame | None = None,
    command: str = "",
) -> dict[str, Any] | None:
    """Axes, shares of the space, seeds, and metrics of every arm with a surface, ready for JSON.

    Each arm has the number of trials in its cells by kind of status, and for each metric the cells' values: the
    `mean`, half the width `half` of its interval, and the number `known` of values, or None where all finished trials
    have one.

    `trials` is what the page unpacks on demand (`analysis.report.packed_values`): the codes of `statuses`, and the
    values of each metric, or None where they do not fit. Trials have the order of arms, then of `Cells`: cells with
    the main axis fastest, then seeds. With the `table` of the trials and a `command`, which has `{}` in place of an
    id, there are also the first digits of the ids, enough to tell the trials apart.

    None where no arm has a surface, or where the cells of the reported metric alone have more than `most` bytes. The
    same rows give the same data.
    """
    shown = {label: item for label, item in cells.items() if item.shape is not None and len(item.axes) == 2}
    columns = _columns(info.metric, list(shown.values()))
    values = {column: [_values(info.metric, column, item) for item in shown.values()] for column in columns}
    told = {
        column: [_told(of_arm, item) for of_arm, item in zip(values[column], shown.values(), strict=True)]
        for column in columns
    }
    ids = _ids(table, shown) if table is not None and command else {}
    kept, left = _within(told, most - len(ids.get("ids", "")))
    if not kept:
        return None
    return {
        "level": round(100 * LEVEL),
        "tolerance": _rounded(info.metric.factor * info.tolerance),
        "most": _rounded(info.metric.factor * (5 * info.tolerance or min(0.1 * info.metric.span, 1.0))),
        "colors": [to_hex(color) for color in mpl.colormaps[COLORMAP](np.linspace(0, 1, _COLORS))],
        "statuses": [{"name": name, "kind": kind} for name, kind in _STATUSES.values()],
        "metrics": [_metric(info.metric, column) for column in kept],
        "omitted": [visible(column) for column in columns if column not in kept],
        "arms": [
            _arm(info, item, [told[column][place] for column in kept])
            for place, item in enumerate(shown.values())
        ],
        "trials": {
            "status": pack_codes(np.concatenate([_codes(item).ravel() for item in shown.values()])),
            "values": _packed([values[column] for column in kept], left),
            **ids,
        },
        **({"command": command} if ids else {}),
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


def _within(told: Mapping[str, object], most: int) -> tuple[list[str], int]:
    """The first columns whose cells fit into `most` bytes, and the number of bytes that are left."""
    kept, left = [], most
    for column, each in told.items():
        left -= len(json.dumps(each, separators=(",", ":")))
        if left < 0:
            break
        kept.append(column)
    return kept, left


def _packed(metrics: Sequence[Sequence[np.ndarray]], left: int) -> list[str | None]:
    """The values of the trials of each metric; None from the first one on that does not fit into `left` bytes."""
    packed: list[str | None] = []
    for arms in metrics:
        text = pack_numbers(np.concatenate([of_arm.ravel() for of_arm in arms])) if left > 0 else ""
        left = left - len(text) if left > len(text) else 0
        packed.append(text if left else None)
    return packed


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


def _arm(info: StudyInfo, cells: Cells, values: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": info.arm(cells.arm).name,
        "x": _axis(cells.axes[0]),
        "y": _axis(cells.axes[1]),
        "seeds": cells.seeds.tolist(),
        "weights": [_rounded(weight) for weight in cells.weights],
        "counts": _counts(cells),
        "values": values,
    }


def _ids(table: pd.DataFrame, shown: Mapping[str, Cells]) -> dict[str, Any]:
    """The packed ids of the trials, and the number of their digits; empty where ids are not hexadecimal digits."""
    parts = []
    for label, cells in shown.items():
        rows = table[table["arm"] == label]
        assert cells.shape is not None
        codes = [axis.index_of(axis_values(rows, axis.info)) for axis in cells.axes]
        at = np.ravel_multi_index(codes, cells.shape), np.searchsorted(cells.seeds, rows["seed"].to_numpy())
        ids = np.full(cells.status.shape, "", dtype=object)
        ids[at] = rows["trial_id"].to_numpy()
        parts.append(ids.ravel())
    known = [trial_id for trial_id in np.concatenate(parts).tolist() if trial_id] if parts else []
    if not known or not all(_ID.fullmatch(trial_id) for trial_id in known):
        return {}
    distinct, longest = len(set(known)), min(map(len, known)) // 2 * 2
    enough = (n for n in range(_LEAST_DIGITS, longest, 2) if len({each[:n] for each in known}) == distinct)
    digits = next(enough, longest)
    text = "".join(trial_id[:digits] or "0" * digits for trial_id in np.concatenate(parts).tolist())
    return {"ids": pack_bytes(bytes.fromhex(text)), "digits": digits}


def _counts(cells: Cells) -> dict[str, list[int]]:
    """The number of trials in each cell by the kind of their status, of the kinds that occur."""
    kinds = np.array([kind for _, kind in _STATUSES.values()])[_codes(cells)]
    return {kind: (kinds == kind).sum(axis=-1).tolist() for kind in np.unique(kinds).tolist()}


def _codes(cells: Cells) -> np.ndarray:
    """The index of each trial's status in `_STATUSES`, `(C, S)`."""
    found = np.zeros(cells.status.shape, dtype=int)
    for code, status in enumerate(_STATUSES):
        found[cells.status == status] = code
    return found


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "label": axis.info.axis_label,
        "words": axis.info.words,
        "values": [number(v) for v in axis.values.tolist()],
        **({"falls": True} if axis.info.meaning.larger_acts_as == LOWER_TEMPERATURE else {}),
    }


def _values(metric: Metric, column: str, cells: Cells) -> np.ndarray:
    """The values `(C, S)` of a column as shown to readers; NaN where there is none."""
    factor = metric.factor if _is_own(metric, column) else 100.0 if _is_accuracy(column) else 1.0
    raw = factor * cells.raw.get(column, np.full(cells.status.shape, np.nan))
    return np.where(np.isfinite(raw), raw, np.nan)


def _told(values: np.ndarray, cells: Cells) -> dict[str, Any]:
    """Of the values `(C, S)` in each cell: the mean, half the width of its interval, and how many there are."""
    mean, _, high = student_interval(values)
    known = np.isfinite(values).sum(axis=-1)
    return {
        "mean": [_rounded(value) for value in mean],
        "half": [_rounded(value) for value in high - mean],
        "known": None if np.array_equal(known, cells.finished.sum(axis=-1)) else known.tolist(),
    }


def _rounded(value: float) -> float | None:
    return float(f"{value:.{_CELL_DIGITS}g}") if np.isfinite(value) else None
