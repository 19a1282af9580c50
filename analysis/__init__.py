"""Sensitivity surfaces, robustness scores and reports from any table of results.

from analysis import compare, load_records, recommend, robustness

rows = load_records("results.csv")
print(robustness(rows, metric="test_acc", selects="val_acc"))
print(compare(rows, metric="test_acc", selects="val_acc", reference="infonce"))
print(recommend(rows, metric="test_acc", selects="val_acc", batch_size=64))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.library import (
        compare,
        environments_of,
        findings_of,
        recommend,
        robustness,
        write_table_report,
    )
    from analysis.model.surface import build_surface
    from analysis.tables.large_tables import cell_intervals
    from analysis.tables.read import load_records

__all__ = [
    "build_surface",
    "cell_intervals",
    "compare",
    "environments_of",
    "findings_of",
    "load_records",
    "recommend",
    "robustness",
    "write_table_report",
]

_HOMES = {
    "build_surface": "analysis.model.surface",
    "cell_intervals": "analysis.tables.large_tables",
    "compare": "analysis.library",
    "environments_of": "analysis.library",
    "findings_of": "analysis.library",
    "load_records": "analysis.tables.read",
    "recommend": "analysis.library",
    "robustness": "analysis.library",
    "write_table_report": "analysis.library",
}


def __getattr__(name: str) -> Any:
    """Imports each public function at its first use, because the imports of pandas and scipy take seconds."""
    if name not in _HOMES:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public functions too, which are not imported yet: for completion in notebooks."""
    return sorted({*globals(), *__all__})
