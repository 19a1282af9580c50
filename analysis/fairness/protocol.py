"""Fairness checks on budget, protocol, machine and code: are they the same for every loss?"""

import dataclasses
from collections.abc import Sequence

import pandas as pd

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.fairness.rates import RATES
from analysis.fairness.settings import ordered
from analysis.fairness.tried import Tried
from analysis.model.info import DIFFERS
from analysis.names import spaced
from analysis.tables.usual_names import plain
from analysis.wording import listing, values_with_counts

#: The end of titles of cards on what a table does not tell.
NOT_RECORDED = "not recorded"

#: Settings that the checks of budget and protocol ask for.
_BUDGET = ("hp_epochs", "hp_steps", "hp_samples")
_PROTOCOL = (
    *("data", "data_fingerprint", "encoder", "views", "views_form", "probe_id"),
    *("hp_optimizer", "hp_lr_rule", "hp_weight_decay", "hp_evaluated_epoch"),
)

#: Columns of hashes, and what they are hashes of.
_HASHES = {"data_fingerprint": "content of the data set", "probe_id": "settings of the probes"}


def check_budget(tried: Tried) -> Card:
    """Whether every trial had the same budget."""
    return _alike(tried, "Budget", _BUDGET, FAIL)


def check_protocol(tried: Tried) -> Card:
    """Whether data, network, views and optimiser were the same."""
    # the values of a drawn axis differ by chance
    drawn = (
        {axis.name for cells in tried.cells.values() for axis in cells.axes} if tried.info.drawn else set()
    )
    return _alike(tried, "Protocol", tuple(name for name in _PROTOCOL if name not in drawn), FAIL)


def check_between(tried: Tried) -> Card:
    """Whether a column of an imported table differs between losses: its effect is then part of the loss's effect.

    Columns that another check of one study fails for are left to it.
    """
    found = [
        each
        for each in tried.info.columns
        if each.role == DIFFERS and (tried.info.compared or not _asked_elsewhere(tried, each.columns))
    ]
    if not found:
        return Card(
            level=PASS,
            title="Settings of losses",
            text="No column has one value for one loss and another value for another loss.",
        )
    told = "; ".join(f"{', '.join(each.columns)}: {each.detail}" for each in found)
    grave = [each for each in found if not all(name.lower() in RATES for name in each.columns)]
    lines = [
        tried.told(", ".join(each.columns), {loss: (value,) for loss, value in each.by_loss.items()})
        for each in grave
    ]
    losses = {loss for each in grave for loss in tried.unlike(each.by_loss)}
    return Card(
        level=FAIL if grave else WARN,
        line="; ".join(lines),
        losses=tuple(sorted(losses)),
        title="Settings differ between losses",
        text=f"Each loss has its own value, so its effect cannot be told from that of the loss: {told}.",
    )


def _asked_elsewhere(tried: Tried, columns: Sequence[str]) -> bool:
    """Whether the checks of budget and protocol ask for all of these columns of a table."""
    own = [{name, f"hp_{plain(name)}"} & {*_BUDGET, *_PROTOCOL} & {*tried.table.columns} for name in columns]
    return all(tried.table[list(names)].notna().any(axis=None) for names in own)


def check_precision(tried: Tried) -> Card:
    """Whether the arithmetic was the same."""
    return _alike(tried, "Precision", ("hp_precision",), WARN)


def check_hardware(tried: Tried) -> Card:
    """Whether machine and execution mode were the same."""
    return _alike(tried, "Hardware", ("device", "device_name", "threads", "execution_mode"), WARN)


def check_code(tried: Tried) -> Card:
    """Whether every trial ran the same, committed code."""
    columns = ("numerics_version", "package_version", "git_revision", "torch_version", "python_version")
    card = _alike(tried, "Code", columns, WARN)
    changed = tried.table["git_revision"].dropna().astype(str).str.endswith("+").any()
    if changed and card.level == PASS:
        return Card(
            level=WARN,
            title="Code",
            text="Trials ran from files changed since the last commit: the revision does not name the code.",
        )
    return card


def _alike(tried: Tried, title: str, columns: tuple[str, ...], level: str) -> Card:
    """A pass where all rows with a result agree in `columns`, or each loss has the same values of a swept column.

    Otherwise a card of `level` that names the differences. A warning where an imported table has no values.
    """
    rows = tried.table[tried.table["status"].notna()]
    if rows.empty:
        return Card(level=WARN, title=title, text="No row yet.")
    varying = [name for name in columns if rows[name].nunique(dropna=True) > 1]
    differing = [name for name in varying if not _swept_alike(tried, name)]
    if differing:
        told = "; ".join(f"{_plain(name)}: {_differing(rows[name])}" for name in differing)
        card = Card(level=level, title=f"{title} differs", text=f"Trials differ in {told}.")
        return _withholding(card, tried, differing) if level == FAIL else card
    shown = [name for name in columns if rows[name].notna().any() and name not in _HASHES]
    silent = _silent(tried, rows, columns) if tried.info.imported else []
    if not shown:  # in trials of this package, an empty column means that the trial has no such thing
        level, title = (WARN, f"{title} {NOT_RECORDED}") if silent else (PASS, title)
        return Card(level=level, title=title, text=f"No trial tells of {_asked(columns)}.")
    told = "; ".join(f"{_plain(name)} {values_with_counts(rows[name])}" for name in shown)
    opening = "The same for every loss" if varying else "The same in every trial"
    if silent:
        text = f"Not recorded of {listing(silent)}. {opening} of the others: {told}."
        return Card(level=WARN, title=f"{title} {NOT_RECORDED}", text=text)
    return Card(level=PASS, title=title, text=f"{opening}: {told}.")


def _withholding(card: Card, tried: Tried, columns: Sequence[str]) -> Card:
    """The card with the values of each loss, and the losses that have others than the reference."""
    shown = [name for name in columns if name not in _HASHES] or columns  # settings explain why hashes differ
    values = {name: tried.by_loss(name) for name in shown}
    losses = {
        loss for each in values.values() for loss in tried.unlike({k: ordered(v) for k, v in each.items()})
    }
    line = "; ".join(
        tried.told(_plain(name), each, shown=name not in _HASHES) for name, each in values.items()
    )
    return dataclasses.replace(card, line=line, losses=tuple(sorted(losses)))


def _silent(tried: Tried, rows: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Losses whose trials have no value in any of the columns."""
    told = rows[list(columns)].notna().any(axis=1).groupby(rows["arm"], sort=False).any()
    return [tried.info.arm(label).name for label in told.index[~told]]


def _swept_alike(tried: Tried, column: str) -> bool:
    """Whether a hyperparameter was planned at the same values for every loss: an axis, not a difference."""
    losses = tried.table["arm"].map({arm.label: arm.loss for arm in tried.info.arms})
    values = [frozenset(rows.dropna()) for _, rows in tried.table[column].groupby(losses)]
    return column.startswith("hp_") and len(set(values)) == 1


def _asked(columns: Sequence[str]) -> str:
    names = [_plain(name) for name in columns]
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]


def _plain(column: str) -> str:
    return _HASHES.get(column) or spaced(column.removeprefix("hp_"))


def _differing(column: pd.Series) -> str:
    """The values with their counts; of hashes, which tell a reader nothing, only their number."""
    return f"{column.nunique()} different" if column.name in _HASHES else values_with_counts(column)
