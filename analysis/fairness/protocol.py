"""Fairness checks on budget, protocol, machine and code: are they the same for every loss?"""

from collections.abc import Sequence

import pandas as pd

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.model.info import DIFFERS
from analysis.names import spaced
from analysis.study_analysis import StudyAnalysis
from analysis.wording import listing, number, values_with_counts

#: The end of titles of cards on what a table does not tell.
NOT_RECORDED = "not recorded"

#: Columns that losses should have values of their own in.
_RATES = ("lr", "learning_rate", "base_lr")

#: Columns of hashes, and what they are hashes of.
_HASHES = {"data_fingerprint": "content of the data set", "probe_id": "settings of the probes"}


def check_budget(findings: StudyAnalysis) -> Card:
    """Whether every trial had the same budget."""
    return _alike(findings, "Budget", ("hp_epochs", "hp_steps", "hp_samples"), FAIL)


def check_steps(findings: StudyAnalysis) -> Card:
    """Whether large batches had fewer optimiser steps, as with equal epochs."""
    axis = next(iter(findings.cells.values())).axes[0]
    x, title = axis.values, "Steps over batch size"
    if len(x) < 2 or findings.info.x_axis != "hp_batch_size":
        return Card(level=PASS, title=title, text="There is one batch size.")
    if not axis.positive:
        text = "Not every batch size is a number above 0, so nothing is said of the steps that each takes."
        return Card(level=WARN, title=title, text=text)
    ratio, low, high = number(x[-1] / x[0]), number(x[0]), number(x[-1])
    if findings.table["hp_epochs"].notna().any():
        text = (
            f"Equal epochs: batch size {high} takes about {ratio} times fewer optimiser steps than {low}, so "
            "accuracy may fall with batch size for lack of steps."
        )
    elif findings.table["hp_samples"].notna().any():
        text = f"Equal images seen: batch size {high} takes {ratio} times fewer optimiser steps than {low}."
    elif findings.table["hp_steps"].notna().any():
        text = f"Equal steps: batch size {high} sees {ratio} times as many images as {low}."
    else:
        text = "No row says how the budget was given."
    return Card(level=WARN, title=title, text=text)


def check_protocol(findings: StudyAnalysis) -> Card:
    """Whether data, network, views and optimiser were the same."""
    asked = ("data", "data_fingerprint", "encoder", "views", "views_form", "probe_id")
    columns = (*asked, "hp_optimizer", "hp_lr_rule", "hp_weight_decay")
    return _alike(findings, "Protocol", columns, FAIL)


def check_between(findings: StudyAnalysis) -> Card:
    """Whether a column of an imported table differs between losses: its effect is then part of the loss's effect."""
    found = [each for each in findings.info.columns if each.role == DIFFERS]
    if not found:
        return Card(
            level=PASS,
            title="Settings of losses",
            text="No column has one value for one loss and another value for another loss.",
        )
    told = "; ".join(f"{', '.join(each.columns)}: {each.detail}" for each in found)
    rates = all(name.lower() in _RATES for each in found for name in each.columns)
    return Card(
        level=WARN if rates else FAIL,
        title="Settings differ between losses",
        text=f"Each loss has its own value, so its effect cannot be told from that of the loss: {told}.",
    )


def check_precision(findings: StudyAnalysis) -> Card:
    """Whether the arithmetic was the same."""
    return _alike(findings, "Precision", ("hp_precision",), WARN)


def check_hardware(findings: StudyAnalysis) -> Card:
    """Whether machine and execution mode were the same."""
    return _alike(findings, "Hardware", ("device", "device_name", "threads", "execution_mode"), WARN)


def check_code(findings: StudyAnalysis) -> Card:
    """Whether every trial ran the same, committed code."""
    columns = ("numerics_version", "package_version", "git_revision", "torch_version", "python_version")
    card = _alike(findings, "Code", columns, WARN)
    changed = findings.table["git_revision"].dropna().astype(str).str.endswith("+").any()
    if changed and card.level == PASS:
        return Card(
            level=WARN,
            title="Code",
            text="Trials ran from files changed since the last commit: the revision does not name the code.",
        )
    return card


def _alike(findings: StudyAnalysis, title: str, columns: tuple[str, ...], level: str) -> Card:
    """A pass where all rows with a result agree in `columns`, or each loss has the same values of a swept column.

    Otherwise a card of `level` that names the differences. A warning where an imported table has no values.
    """
    rows = findings.table[findings.table["status"].notna()]
    if rows.empty:
        return Card(level=WARN, title=title, text="No row yet.")
    varying = [name for name in columns if rows[name].nunique(dropna=True) > 1]
    differing = [name for name in varying if not _swept_alike(findings, name)]
    if differing:
        told = "; ".join(f"{_plain(name)}: {_differing(rows[name])}" for name in differing)
        return Card(level=level, title=f"{title} differs", text=f"Trials differ in {told}.")
    shown = [name for name in columns if rows[name].notna().any() and name not in _HASHES]
    silent = _silent(findings, rows, columns) if findings.info.imported else []
    if not shown:  # in trials of this package, an empty column means that the trial has no such thing
        level, title = (WARN, f"{title} {NOT_RECORDED}") if silent else (PASS, title)
        return Card(level=level, title=title, text=f"No trial tells of {_asked(columns)}.")
    told = "; ".join(f"{_plain(name)} {values_with_counts(rows[name])}" for name in shown)
    opening = "The same for every loss" if varying else "The same in every trial"
    if silent:
        text = f"Not recorded of {listing(silent)}. {opening} of the others: {told}."
        return Card(level=WARN, title=f"{title} {NOT_RECORDED}", text=text)
    return Card(level=PASS, title=title, text=f"{opening}: {told}.")


def _silent(findings: StudyAnalysis, rows: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Losses whose trials have no value in any of the columns."""
    told = rows[list(columns)].notna().any(axis=1).groupby(rows["arm"], sort=False).any()
    return [findings.info.arm(label).name for label in told.index[~told]]


def _swept_alike(findings: StudyAnalysis, column: str) -> bool:
    """Whether a hyperparameter was planned at the same values for every loss: an axis, not a difference."""
    losses = findings.table["arm"].map({arm.label: arm.loss for arm in findings.info.arms})
    values = [frozenset(rows.dropna()) for _, rows in findings.table[column].groupby(losses)]
    return column.startswith("hp_") and len(set(values)) == 1


def _asked(columns: Sequence[str]) -> str:
    names = [_plain(name) for name in columns]
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]


def _plain(column: str) -> str:
    return _HASHES.get(column) or spaced(column.removeprefix("hp_"))


def _differing(column: pd.Series) -> str:
    """The values with their counts; of hashes, which tell a reader nothing, only their number."""
    return f"{column.nunique()} different" if column.name in _HASHES else values_with_counts(column)
