"""One sentence on the differences that undecided comparisons could have detected."""

import math
from collections.abc import Sequence

from analysis.statistics.comparisons.compare import UNDECIDED, Comparison
from analysis.statistics.comparisons.more_seeds import MOST, seeds_to_settle
from analysis.statistics.comparisons.power import POWER
from analysis.statistics.intervals.student import LEVEL
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, counted


def resolution_sentence(findings: StudyAnalysis, judged: Sequence[Comparison]) -> str:
    """What these seeds could detect, and how many seeds would detect the tolerance.

    Empty where every comparison is decided.
    """
    open_ = [item for item in judged if item.verdict == UNDECIDED and item.deviation > 0]
    if not open_:
        return ""
    metric, tolerance = findings.info.metric, findings.info.tolerance
    alpha = (1 - LEVEL) / len(findings.comparisons)
    wanted = sorted(float(seeds_to_settle(tolerance, item.deviation, alpha=alpha)) for item in open_)
    return (
        f"Undecided is no proof of equality: with {seeds_words(open_)}, a study like this finds a true difference in "
        f"{100 * POWER:.0f} % of cases only if it is {_detectable(findings, open_)}. To find "
        f"{metric.factor * tolerance:g} {metric.difference_unit} it would take {_wanted(*wanted)} seeds, if the "
        "noise stays as seen here."
    )


def _detectable(findings: StudyAnalysis, items: Sequence[Comparison]) -> str:
    """A text such as `at least 2.6 to 7.6 points, loss by loss`. No difference can exceed the metric's span."""
    metric = findings.info.metric
    sizes = [Scale(metric).size(found(item.detectable for item in items)) for found in (min, max)]
    if sizes[0].startswith("over"):
        return f"{sizes[0]} {metric.difference_unit}, which none can be"
    if sizes[0] == sizes[1]:
        return f"at least {sizes[0]} {metric.difference_unit}"
    return f"at least {sizes[0]} to {sizes[1]} {metric.difference_unit}, loss by loss"


def _wanted(least: float, *further: float) -> str:
    """A text such as `8 to 31`, from increasing numbers."""
    most = further[-1] if further else least
    if math.isinf(least):
        return f"more than {MOST}"
    if least == most:
        return f"about {least:.0f}"
    return f"{least:.0f} to {most:.0f}" if math.isfinite(most) else f"{least:.0f} to more than {MOST}"


def seeds_words(items: Sequence[Comparison], noun: str = "seed") -> str:
    """The number of seeds used, such as `5 seeds`, or `3 to 5 seeds` where comparisons differ."""
    seeds = [item.difference.seeds for item in items]
    return counted(max(seeds), noun) if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)} {noun}s"
