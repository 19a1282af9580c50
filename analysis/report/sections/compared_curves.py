"""Which losses have curves in figures that draw one curve for each loss."""

import math

from analysis.report.plots.style import Look, arm_look
from analysis.study_analysis import StudyAnalysis

#: Largest number of curves in a panel: that of the colours.
MOST_CURVES = 10


def curves_shown(findings: StudyAnalysis) -> list[str]:
    """The labels of the arms with curves, in the study's order.

    These are the arms in tables for readers. Of more than ten, these are the reference and the nine whose averages
    over the space are furthest from its average.
    """
    shown = [label for label in findings.summaries if findings.is_shown(label)]
    reference = _reference(findings)
    own = findings.summaries[reference].mean.value

    def distance(label: str) -> float:
        if label == reference:
            return math.inf
        gap = abs(findings.summaries[label].mean.value - own)
        return gap if math.isfinite(gap) else -1.0

    kept = sorted(shown, key=distance, reverse=True)[:MOST_CURVES]
    return [label for label in shown if label in kept]


def _reference(findings: StudyAnalysis) -> str:
    """The label of the reference; of one that is cut into parts, that of the part with rows in tables."""
    return findings.best_part(findings.info.reference_arm.whole_label)


def curve_look(findings: StudyAnalysis, label: str) -> Look:
    """The look of an arm with a curve: by its place in the study, or among the curves where only some have one."""
    labels, shown = [arm.label for arm in findings.info.arms], curves_shown(findings)
    some = sum(findings.is_shown(each) for each in labels) > len(shown)
    return arm_look((shown if some else labels).index(label))


def curves_words(findings: StudyAnalysis) -> str:
    """Which losses have curves, with a space before; empty where all have."""
    shown = sum(findings.is_shown(label) for label in findings.summaries)
    if shown <= MOST_CURVES:
        return ""
    reference = findings.info.arm(_reference(findings)).name
    return (
        f" Of {shown} losses, {reference} and the {MOST_CURVES - 1} whose averages differ most from it have curves; "
        "the data have all."
    )
