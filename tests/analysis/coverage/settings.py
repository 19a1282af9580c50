"""The settings in which coverage is simulated, and a table of what was found."""

import dataclasses

from analysis.demo.law import LOSSES
from tests.analysis.coverage.simulated import Coverage, Setting

BY_LABEL = {loss.label: loss for loss in LOSSES}


#: Every cell equally good: where choices are pure luck.
FLAT = dataclasses.replace(BY_LABEL["dhel"], label="flat", width=1e3, slope=0.0)


#: Fragile with failures; the same with trials missing; robust; flat.
SETTINGS = {
    f"{name}, {seeds} seeds": Setting(loss=loss, rival=rival, seeds=seeds, missing=missing)
    for seeds in (5, 10)
    for name, loss, rival, missing in (
        ("fragile", BY_LABEL["infonce"], BY_LABEL["dhel"], 0.0),
        ("fragile, 2 % of the trials missing", BY_LABEL["infonce"], BY_LABEL["dhel"], 0.02),
        ("flat", FLAT, BY_LABEL["infonce"], 0.0),
    )
}


def print_table(found: dict[str, Coverage]) -> None:
    """A line a score."""
    for name, item in found.items():
        marked = "conservative" if item.conservative else ""
        print(
            f"  {name:34} {100 * item.coverage:6.1f} % +- {100 * item.error:.1f}  {item.intervals:5} {marked}"
        )
