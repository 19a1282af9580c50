"""The `Metric` for measured values: they have no validation and test split, and lower is better.

The tasks `sphere` and `diagnostic` use it.
"""

from typing import TYPE_CHECKING

from trainables.store.schema import column_label, column_unit

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.metric import Metric


def measured_metric(name: str, records: "pd.DataFrame") -> "Metric":
    """The metric. A failed trial counts as the worst value among the records, or as 1 without any values."""
    from analysis.model.metric import Metric

    seen = records[name].dropna()
    worst = float(seen.max()) if len(seen) else 1.0
    unit = "nats" if column_unit(name) == "nats" else ""
    return Metric(
        name=name,
        worst=worst,
        worst_source="the worst value of all trials",
        worst_guess="this metric has no worst value",
        label=column_label(name),
        selects=name,
        reports=name,
        bounds=(min(0.0, float(seen.min()) if len(seen) else 0.0), max(worst, 1.0)),
        higher_is_better=False,
        factor=1.0,
        unit=unit,
        difference_unit=unit or "units",
        digits=4,
    )
