"""Fairness check on learning rates: which rates the losses trained at, and how they were chosen."""

import math
from collections.abc import Sequence

from analysis.fairness.card import PASS, WARN, Card
from analysis.fairness.tried import Tried
from analysis.model.info import ArmInfo
from analysis.tables.usual_names import plain
from analysis.wording import listing, number

#: Names of columns with learning rates. Losses should have values of their own in them.
RATES = ("lr", "learning_rate", "base_lr")


def rate_columns(tried: Tried) -> list[str]:
    """The columns of learning rates that were planned, as in `hp_lr`."""
    return [str(name) for name in tried.table.columns if str(name).startswith("hp_") and plain(name) in RATES]


def check_learning_rates(tried: Tried) -> Card:
    """Whether each loss trained at a rate that was tuned for it on this data."""
    axes, swept = rate_columns(tried), _swept_alone(tried)
    arms = [arm for arm in tried.info.arms if not {tried.info.x_axis, arm.main_axis} & set(axes)]
    if not arms:
        return Card(
            level=PASS, title="Learning rates swept", text="The learning rate is an axis of this study."
        )
    known = [arm for arm in arms if math.isfinite(arm.base_lr)]
    if not known and not swept and not any(arm.lr_source for arm in arms):
        text = "The table does not tell at which learning rates the losses trained, nor who chose them."
        return Card(level=WARN, title="Learning rates not recorded", text=text)
    told = "; ".join(_rates_by_source(arms))
    shared = len(known) > 1 and len({arm.base_lr for arm in known}) == 1
    told = f"One base rate for all losses, though their gradients differ in scale: {told}" if shared else told
    fixed = [
        arm
        for arm in arms
        if not arm.lr_tuned
        or (swept and arm.whole_label not in swept and arm.label not in tried.info.repeats)
    ]
    level = WARN if shared or fixed or any(not arm.lr_source for arm in arms) else PASS
    title = "Learning rates shared" if shared else "Learning rates per loss"
    if fixed and len({arm.whole_label for arm in tried.info.arms} - {arm.whole_label for arm in fixed}) == 1:
        title = "Learning rate tuned for one loss alone"
    return Card(level=level, title=title, text=f"{told}.{_doubt(tried, fixed)}")


def _doubt(tried: Tried, fixed: Sequence[ArmInfo]) -> str:
    """What rates that were not tuned mean for the comparison; empty without any."""
    if not fixed:
        return ""
    apart = {arm.whole_label for arm in fixed}
    tuned = [name for label, name in tried.names.items() if label not in apart]
    text = (
        f" Not tuned on this data and protocol: {listing([arm.name for arm in fixed])}. A difference from other "
        "losses may come from the rate alone."
    )
    favours = f" The rate of {listing(tuned)} was tuned, which favours {'it' if len(tuned) == 1 else 'them'}."
    return text + (favours if tuned else "")


def _swept_alone(tried: Tried) -> set[str]:
    """Labels of whole arms that ran at several rates, where others ran at one; empty where all did or none."""
    tried, found = tried.compared, set[str]()
    for column in rate_columns(tried):
        counts = tried.table[column].groupby(tried.wholes, sort=False).nunique()
        found |= set(map(str, counts.index[counts > 1]))
    return found if len(found) < len(tried.names) else set()


def _rates_by_source(arms: Sequence[ArmInfo]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for arm in arms:
        known = math.isfinite(arm.base_lr)
        source = arm.lr_source or ("no source given" if known else "not recorded")
        groups.setdefault(source, []).append(f"{arm.name} {number(arm.base_lr)}" if known else arm.name)
    return [f"{listing(rates)} ({source})" for source, rates in groups.items()]
