"""Fairness checks on a sweep of batch sizes: what changes with the batch size besides it?"""

from collections.abc import Iterator

import numpy as np

from analysis.fairness.card import PASS, WARN, Card
from analysis.fairness.rates import RATES, rate_columns
from analysis.fairness.tried import Tried
from analysis.tables.usual_names import BATCH_SIZES, plain
from analysis.wording import number

#: How many times as high the rate is at a batch size that is so many times as large.
_GROWTH = {"linear": 1.0, "sqrt": 0.5}


def check_steps(tried: Tried) -> Card:
    """Whether large batches had fewer optimiser steps, as with equal epochs."""
    axis = next(iter(tried.cells.values())).axes[0]
    x, title = axis.values, "Steps over batch size"
    if len(x) < 2 or not _sweeps_batch_sizes(tried):
        return Card(level=PASS, title=title, text="There is one batch size.")
    if not axis.positive:
        text = "Not every batch size is a number above 0, so nothing is said of the steps that each takes."
        return Card(level=WARN, title=title, text=text)
    ratio, low, high = number(x[-1] / x[0]), number(x[0]), number(x[-1])
    if tried.table["hp_epochs"].notna().any():
        text = (
            f"Equal epochs: batch size {high} takes about {ratio} times fewer optimiser steps than {low}, so "
            "accuracy may fall with batch size for lack of steps."
        )
    elif tried.table["hp_samples"].notna().any():
        text = f"Equal images seen: batch size {high} takes {ratio} times fewer optimiser steps than {low}."
    elif tried.table["hp_steps"].notna().any():
        text = f"Equal steps: batch size {high} sees {ratio} times as many images as {low}."
    else:
        text = "No row says how the budget was given."
    return Card(level=WARN, title=title, text=text)


def check_rate_scaling(tried: Tried) -> Iterator[Card]:
    """Whether the learning rate was tuned at each batch size, or set by a rule that is confounded with it.

    Gives a card for a study with several batch sizes whose rates are told.
    """
    axis = next(iter(tried.cells.values())).axes[0]
    if len(axis.values) < 2 or not _sweeps_batch_sizes(tried) or not axis.positive:
        return
    title, low, high = "Rate over batch size", axis.values[0], axis.values[-1]
    ends = f"{number(low)} to {number(high)}"
    if _tuned_at_each(tried):
        text = f"The learning rate was swept at every batch size from {ends}."
        yield Card(level=PASS, title=title, text=text)
        return
    why = "so an effect of the batch size may be one of the rate"
    rules = set(tried.table["hp_lr_rule"].dropna())
    if len(rules) == 1 and (rule := str(rules.pop())) in (*_GROWTH, "none"):
        if rule == "none":
            text = f"One learning rate for all batch sizes from {ends}, {why}: one that suits a small batch may be "
            text += "too low for a large one."
        else:
            times = number((high / low) ** _GROWTH[rule])
            text = (
                f"The learning rate grows with the batch size by the rule {rule}: {times} times from {ends}. "
            )
            text += f"It was not tuned at each batch size, {why}."
        yield Card(level=WARN, title=title, text=text)
    elif _set_by_batch_size(tried):
        text = f"Each batch size from {ends} has a learning rate of its own, {why}."
        yield Card(level=WARN, title=title, text=text)


def _sweeps_batch_sizes(tried: Tried) -> bool:
    return plain(tried.info.x_axis) in BATCH_SIZES


def _tuned_at_each(tried: Tried) -> bool:
    """Whether every loss has several rates at each of its batch sizes."""
    tried = tried.compared
    place = [tried.wholes, tried.table[tried.info.x_axis]]
    by_place = [tried.table[name].groupby(place, sort=False).nunique() for name in rate_columns(tried)]
    return any(len(counts) > 0 and bool(np.all(counts > 1)) for counts in by_place)


def _set_by_batch_size(tried: Tried) -> bool:
    """Whether a table has a rate that is a function of the batch size."""
    follows = f"follows {tried.info.x_axis.removeprefix('hp_')}"
    return any(
        each.role == follows and plain(name) in RATES for each in tried.info.columns for name in each.columns
    )
