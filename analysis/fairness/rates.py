"""Fairness check on learning rates: which rates the losses trained at, and how they were chosen."""

import math
from collections.abc import Sequence

from analysis.fairness.card import PASS, WARN, Card
from analysis.fairness.tried import Tried
from analysis.model.info import ArmInfo
from analysis.wording import listing, number


def check_learning_rates(tried: Tried) -> Card:
    """Whether each loss trained at a rate that was tuned for it on this data."""
    x_axis = tried.info.x_axis
    arms = [arm for arm in tried.info.arms if "hp_lr" not in (x_axis, arm.main_axis)]
    if not arms:
        return Card(
            level=PASS, title="Learning rates swept", text="The learning rate is an axis of this study."
        )
    known = [arm for arm in arms if math.isfinite(arm.base_lr)]
    if not known and not any(arm.lr_source for arm in arms):
        text = "The table does not tell at which learning rates the losses trained, nor who chose them."
        return Card(level=WARN, title="Learning rates not recorded", text=text)
    told = "; ".join(_rates_by_source(arms))
    shared = len(known) > 1 and len({arm.base_lr for arm in known}) == 1
    told = f"One base rate for all losses, though their gradients differ in scale: {told}" if shared else told
    untuned = [arm.name for arm in arms if not arm.lr_tuned]
    doubt = (
        f" Not tuned on this data and protocol: {listing(untuned)}. A difference from other losses may come "
        "from the rate alone."
    )
    level = WARN if shared or untuned or any(not arm.lr_source for arm in arms) else PASS
    title = "Learning rates shared" if shared else "Learning rates per loss"
    return Card(level=level, title=title, text=f"{told}.{doubt if untuned else ''}")


def _rates_by_source(arms: Sequence[ArmInfo]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for arm in arms:
        known = math.isfinite(arm.base_lr)
        source = arm.lr_source or ("no source given" if known else "not recorded")
        groups.setdefault(source, []).append(f"{arm.name} {number(arm.base_lr)}" if known else arm.name)
    return [f"{listing(rates)} ({source})" for source, rates in groups.items()]
