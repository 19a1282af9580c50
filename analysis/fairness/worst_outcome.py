"""Fairness check on failures: is it known what a failed trial is worth?"""

from analysis.fairness.card import FAIL, PASS, Card
from analysis.fairness.tried import Tried
from analysis.wording import Scale, listing

_TITLE = "Value of failures"


def check_worst_outcome(tried: Tried) -> Card:
    """Whether failed trials count as a value that is known, such as chance.

    Where it is a guess, such as the worst finished value, a loss that fails often may look robust or not by the guess
    alone. So failures of a loss withhold its decisions, and failures of the reference all decisions.
    """
    metric = tried.info.metric
    tried = tried.compared
    whole = {arm.label: arm.whole_label for arm in tried.info.arms}
    failed, ended = dict.fromkeys(whole.values(), 0), dict.fromkeys(whole.values(), 0)
    for label, cells in tried.cells.items():
        failed[whole[label]] += int(cells.failed.sum())
        ended[whole[label]] += int((cells.failed | cells.finished).sum())
    # losses whose trials all failed have no score
    losses = tuple(label for label, count in failed.items() if 0 < count < ended[label])
    if not losses:
        return Card(level=PASS, title=_TITLE, text="No trial of a compared loss failed.")
    worst = Scale(metric).with_unit(metric.worst_score)
    counts = listing(
        [f"{failed[label]} of {ended[label]} trials of {tried.names[label]}" for label in losses]
    )
    source = f", {metric.worst_source}" if metric.worst_source else ""
    if not metric.worst_guess:
        return Card(level=PASS, title=_TITLE, text=f"{counts} failed. Each counts as {worst}{source}.")
    reference = tried.info.reference_arm.whole_label
    line = f"{counts} failed, and what a failure is worth is a guess; {metric.worst_guess}"
    text = f"{line}. In the scores below, each counts as {worst}{source}."
    apart = tuple(label for label in failed if label != reference) if reference in losses else losses
    return Card(level=FAIL, title=_TITLE, text=text, line=line, losses=apart)
