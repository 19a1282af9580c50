"""What the columns of a verdict's table mean, in the words of its note."""

from analysis.model.metric import Metric
from analysis.report.verdict_conditions import pairing_words
from analysis.statistics.comparisons.decisions import Decisions
from analysis.study_analysis import StudyAnalysis
from analysis.wording import opened


def questions_words(findings: StudyAnalysis, decisions: Decisions) -> str:
    """The note below the table: what the rows hold, both prices, and when losses are equal."""
    metric, reference = findings.info.metric, findings.whole_name(decisions.reference)
    chooser = "validation" if metric.held_out else "the metric itself"
    size = f"{metric.factor * decisions.tolerance:g} {metric.difference_unit}"
    luck = "Price of bad luck: the average minus the mean of the worst tenth of the ranges."
    tuning = (
        f"Price of not tuning: the tuned score, whose configuration {chooser} chooses, minus the average over"
    )
    prices = luck if metric.no_choice else f"{tuning} the ranges. {luck}"
    if not decisions.items:
        return prices
    return (
        f"Differences in {metric.difference_unit} to {reference}, {pairing_words(findings, decisions)}; its own row "
        f"has values. {prices} {opened(signs_words(metric))}. Equal: the interval is within ±{size}."
    )


def signs_words(metric: Metric) -> str:
    """What plus means in differences, such as `plus is better in accuracy, and worse in a price`."""
    means = "" if metric.higher_is_better else " (it is lower)"
    return f"plus is better in {metric.noun}{means}, and worse in a price"
