"""A results table and its mapping to what the analysis wants: a row a trial, and the study's description."""

import dataclasses
import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.info import ArmInfo, AxisInfo, StudyInfo
from analysis.metric import Metric
from analysis.results.mapping import TableMapping
from analysis.table import build_table
from trainables.schema import Status

#: Names by which tables call the number of pairs a step.
_BATCH_SIZES = ("batch_size", "batch", "batchsize", "bs", "hp_batch_size")
#: Names of columns that are taken unasked.
_STATUS, _DATA = ("status",), ("data", "dataset")
#: The axes that stand in where a table varies in one hyperparameter only, or in none.
_STAND_INS = ("hp_setting", "hp_constant")
#: Most distinct values of a column that is taken for a hyperparameter unasked.
_MOST_VALUES = 200


def table_study(rows: pd.DataFrame, mapping: TableMapping) -> tuple[pd.DataFrame, StudyInfo]:
    """The table that `analysis.findings.analyse_table` takes, and the study's description.

    Every loss of the table is an arm. Raises `ValueError` for unknown columns, a metric that is no number, an
    unknown status, and two rows of one loss, configuration and seed.
    """
    _check_columns(rows, mapping)
    if rows.empty:
        raise ValueError("table: it has no rows")
    mapping = _with_usual_columns(rows, mapping)
    axes = _axes(rows, mapping)
    table = _trials(rows, mapping, axes)
    metric = _metric(rows, mapping)
    info = StudyInfo(
        name=mapping.name or "results",
        metric=metric,
        arms=tuple(_arm(label, table, mapping, axes) for label in dict.fromkeys(table["arm"])),
        seeds=tuple(sorted(table["seed"].unique())),
        reference=mapping.reference,
        null_controls=mapping.null_controls,
        tolerance=_tolerance(mapping, metric, rows),
        environment="data",
        task="imported table",
    )
    _check_repeats(table, info)
    return table, info


def _check_columns(rows: pd.DataFrame, mapping: TableMapping) -> None:
    single = (mapping.metric, mapping.selects, mapping.loss, mapping.seed, mapping.status, mapping.data)
    named = [*single, mapping.x, mapping.main, *mapping.axes, *(mapping.measures or ())]
    for column in named:
        if column is not None and column not in rows.columns:
            near = difflib.get_close_matches(column, map(str, rows.columns), n=3) or list(rows.columns)[:12]
            raise ValueError(f"table: no column {column!r}; did you mean {', '.join(map(str, near))}?")


def _with_usual_columns(rows: pd.DataFrame, mapping: TableMapping) -> TableMapping:
    """The mapping with columns of the usual names for what it does not name; they would pass for hyperparameters."""
    named = {mapping.metric, mapping.selects, mapping.loss, mapping.seed, mapping.x, mapping.main}
    free = {str(name) for name in rows.columns} - named - {*mapping.axes}
    status, data = (next((name for name in names if name in free), None) for names in (_STATUS, _DATA))
    return dataclasses.replace(mapping, status=mapping.status or status, data=mapping.data or data)


def _axes(rows: pd.DataFrame, mapping: TableMapping) -> tuple[str, ...]:
    """The columns of hyperparameters: those named, or all that vary, are no outcome, and repeat their values."""
    if mapping.axes:
        return mapping.axes
    meant = {mapping.metric, mapping.selects, mapping.loss, mapping.seed, mapping.status, mapping.data}
    named = [name for name in (mapping.x, mapping.main) if name]
    prefixed = [name for name in rows.columns if str(name).startswith("hp_")]
    found = prefixed or [name for name in rows.columns if name not in meant and _repeats(rows[name])]
    return tuple(dict.fromkeys((*named, *(name for name in found if rows[name].nunique() > 1))))


def _repeats(column: pd.Series) -> bool:
    """Whether a column looks like a hyperparameter: few values, each of several rows. Outcomes hardly repeat."""
    return 1 < column.nunique() <= min(_MOST_VALUES, max(2, len(column) // 2))


def _trials(rows: pd.DataFrame, mapping: TableMapping, axes: Sequence[str]) -> pd.DataFrame:
    values = _numbers(rows, mapping.metric)
    planned = pd.DataFrame(
        {
            "trial_id": np.arange(len(rows)).astype(str),
            "arm": rows[mapping.loss].astype(str).to_numpy(),
            "seed": _seeds(rows[mapping.seed]),
            **{_column(name): rows[name].to_numpy() for name in axes},
        }
    )
    keys = ["arm", *(_column(name) for name in axes)]
    planned["config_id"] = planned.groupby(keys, dropna=False, sort=False).ngroup().astype(str)
    records = pd.DataFrame({"trial_id": planned["trial_id"], "status": _statuses(rows, mapping, values)})
    records["data"] = rows[mapping.data].astype(str).to_numpy() if mapping.data else None
    records["loss"] = planned["arm"]
    further = [name for name in rows.columns if str(name).startswith(("z_", "h_"))]
    for name in dict.fromkeys((mapping.metric, mapping.selects or mapping.metric, *further)):
        records[name] = _numbers(rows, name)
    return build_table(planned, records)


def _seeds(column: pd.Series) -> np.ndarray:
    """Whole numbers as they are, anything else by its place in the order."""
    return column.to_numpy() if column.dtype.kind in "iu" else pd.factorize(column, sort=True)[0]


def _statuses(rows: pd.DataFrame, mapping: TableMapping, values: np.ndarray) -> np.ndarray:
    if mapping.status is None:
        return np.full(len(values), str(Status.OK), dtype=object)
    told = rows[mapping.status].astype(str).str.lower().to_numpy(dtype=object)
    allowed = {str(status) for status in Status}
    unknown = sorted(set(told) - allowed)
    if unknown:
        raise ValueError(f"status: got {unknown[0]!r}; allowed are {', '.join(sorted(allowed))}")
    return told


def _numbers(rows: pd.DataFrame, column: str) -> np.ndarray:
    try:
        return pd.to_numeric(rows[column]).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError):
        bad = next(value for value in rows[column] if not _is_number(value))
        raise ValueError(f"{column}: got {bad!r}; a metric is made of numbers") from None


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return False
    return True


def _metric(rows: pd.DataFrame, mapping: TableMapping) -> Metric:
    """The metric with its bounds: shares of 1 and percents are accuracies, others are unbounded."""
    columns = dict.fromkeys((mapping.metric, mapping.selects or mapping.metric))
    values = np.concatenate([_numbers(rows, name) for name in columns])
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    worst = low if mapping.higher_is_better else high
    plain = Metric(
        name=mapping.metric,
        label=mapping.metric.replace("_", " "),
        selects=mapping.selects or mapping.metric,
        reports=mapping.metric,
        worst=float(worst if mapping.worst is None else mapping.worst),
        bounds=(-np.inf, np.inf),
        higher_is_better=mapping.higher_is_better,
    )
    if mapping.percent:
        return dataclasses.replace(plain, bounds=(0.0, 100.0), factor=1.0)
    if mapping.percent is None and low >= 0 and high <= 1 and mapping.higher_is_better:
        return dataclasses.replace(plain, bounds=(0.0, 1.0))
    return dataclasses.replace(plain, factor=1.0, unit="", difference_unit="units", digits=_digits(known))


def _digits(known: np.ndarray) -> int:
    """Decimals that show a thousandth of the values' spread."""
    spread = float(np.ptp(known)) if len(known) else 0.0
    return int(np.clip(3 - np.floor(np.log10(spread)), 0, 8)) if spread > 0 else 3


def _tolerance(mapping: TableMapping, metric: Metric, rows: pd.DataFrame) -> float:
    """Two points of an accuracy; a fiftieth of the spread of another metric."""
    if mapping.tolerance is not None:
        return mapping.tolerance
    if np.isfinite(metric.span):
        return 0.02 * metric.span
    known = _numbers(rows, mapping.metric)
    known = known[np.isfinite(known)]
    return float(f"{0.02 * np.ptp(known):.1g}") if len(known) else 0.0


def _arm(label: str, table: pd.DataFrame, mapping: TableMapping, axes: Sequence[str]) -> ArmInfo:
    rows = table[table["arm"] == label]
    x, main = _two_axes(rows, mapping, [_column(name) for name in axes])
    return ArmInfo(label=label, loss=label, axes=(_axis(x, mapping), _axis(main, mapping)))


def _two_axes(rows: pd.DataFrame, mapping: TableMapping, axes: Sequence[str]) -> tuple[str, str]:
    """The axes of surfaces: those named; else batch size and the numeric column with the most values."""
    sized = [name for name in axes if name.removeprefix("hp_").lower() in _BATCH_SIZES]
    x = _column(mapping.x) if mapping.x else (sized or [_STAND_INS[0]])[0]
    if mapping.main:
        return x, _column(mapping.main)
    free = [name for name in axes if name != x and rows[name].notna().any()]
    numeric = [name for name in free if rows[name].dtype.kind in "iuf"]
    wanted = sorted(numeric or free, key=lambda name: -rows[name].nunique())
    return x, wanted[0] if wanted else next(name for name in _STAND_INS if name != x)


def _axis(column: str, mapping: TableMapping) -> AxisInfo:
    bare = column.removeprefix("hp_")
    measure = (mapping.measures or {}).get(bare, "log")
    label = "batch size, pairs" if bare.lower() in _BATCH_SIZES else bare.replace("_", " ")
    default = 1.0 if column in _STAND_INS else None
    return AxisInfo(name=column, label=label, measure=measure, default=default)


def _column(name: str) -> str:
    return name if name.startswith("hp_") else f"hp_{name}"


def _check_repeats(table: pd.DataFrame, info: StudyInfo) -> None:
    keys = [name for name in ("data", "arm", "config_id", "seed") if name in table.columns]
    twice = table.duplicated(keys)
    if twice.any():
        second = int(np.argmax(twice))
        row = table.loc[second]
        same = (table[keys].astype(object).fillna("") == row[keys].astype(object).fillna("")).all(axis=1)
        first = int(np.argmax(same))
        raise ValueError(
            f"table: rows {first + 1} and {second + 1} are one trial (loss {row['arm']}, seed {row['seed']}, "
            "equal hyperparameters); keep one, or name the column that tells them apart as an axis"
        )
