"""Shows one record, and whether it equals the one that the store holds."""

import math
from typing import Any

from rich.table import Table

from trainables.schema import TrialRecord, column_unit

#: Columns that no rerun repeats: times, memory, and where and with what it ran.
RUN_COLUMNS = frozenset(
    {
        "attempt", "started_at", "seconds_total", "seconds_pretrain", "seconds_evaluate", "peak_memory_bytes",
        "device", "device_name", "threads", "execution_mode", "node", "python_version", "torch_version",
        "package_version", "git_revision", "error_traceback",
    }
)  # fmt: skip


def record_table(record: TrialRecord) -> Table:
    """Every column that has a value, the config and the traceback apart."""
    table = Table("column", "value", "unit", box=None)
    for name, value in vars(record).items():
        if value is not None and name not in ("config", "error_traceback"):
            shown = f"{value:.6g}" if isinstance(value, float) else str(value)
            table.add_row(name, shown, column_unit(name))
    return table


def compare_records(stored: dict[str, Any], record: TrialRecord) -> str:
    """One line: whether the new record repeats the stored one to the bit, and where it does not."""
    new = vars(record)
    differing = [
        name
        for name, value in stored.items()
        if name not in RUN_COLUMNS and not _same(_plain(value), _plain(new[name]))
    ]
    if differing:
        return f"The store holds another record of this trial; it differs in {', '.join(differing)}."
    return "The store holds this trial's record; the new one equals it to the bit, times and memory apart."


def _plain(value: Any) -> Any:
    """Maps come back from Parquet as lists of pairs."""
    return sorted(dict(value).items()) if isinstance(value, (dict, list)) else value


def _same(a: Any, b: Any) -> bool:
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))
