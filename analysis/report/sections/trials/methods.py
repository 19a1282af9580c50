"""The section on methods: how the numbers were computed."""

from analysis.model.weights import LOG
from analysis.report.sections.content import Content
from analysis.report.sections.space.scores import place_words, tolerance_words
from analysis.statistics.comparisons.power import POWER
from analysis.statistics.intervals.extremes import MIN_SEEDS_EXTREMES
from analysis.statistics.intervals.student import LEVEL
from analysis.statistics.scores.robustness import COLLAPSE_RANK, TAIL
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, listing


def methods_section(findings: StudyAnalysis) -> Content:
    """Definitions and choices, each with its values in this study."""
    eps, tail = tolerance_words(findings), f"{100 * TAIL:.0f} %"
    facts = (
        ("Selection", _selection(findings)),
        ("Default", _default(findings)),
        ("Measure", _measure(findings)),
        ("Failures", _failures(findings)),
        ("Intervals", _intervals(findings)),
        (
            "Comparisons",
            (
                "Paired t test over seeds with Holm's correction over all comparisons with the reference. "
                "Differences without any spread between seeds have no test: all zero is “identical”, else "
                "“undecided”. Undecided means that chance can explain the difference, not that there is "
                f"none. The detectable difference has {100 * POWER:.0f} % power at the strictest step of "
                "the correction."
            ),
        ),
        (
            f"Worst {tail}",
            f"Mean of the lowest {tail} of the space (conditional value at risk), of cell means over seeds.",
        ),
        (
            "Tolerance",
            (
                f"Share of the space whose mean over seeds lies within {eps} of the loss's own best cell. "
                "A loss that is poor everywhere scores high here: read it beside the accuracies."
            ),
        ),
        (
            "Null control",
            (
                "Two losses with the same gradient should train alike; how far they lie apart shows what "
                "rounding alone does. Their average over the space is compared by the paired t test, its "
                "level divided by the number of such pairs."
            ),
        ),
        ("Collapse", f"A finished trial with an effective rank below {COLLAPSE_RANK:g} dimensions."),
    )
    of_space = ("Default", "Measure", f"Worst {tail}", "Tolerance", "Null control")
    told = tuple(fact for fact in facts if not (findings.adaptive and fact[0] in of_space))
    return Content(title="Methods", facts=told, folded=True)


_CHOSEN_ON_VALIDATION = (
    "The tuned configuration of a loss is the one with the highest mean validation score over seeds; "
    "the test set never selects. Its score is cross-fitted: for each seed, validation on the other "
    "half of the seeds chooses the configuration, and that seed's test score there counts. Where trials are missing, "
    "only configurations with the most seeds known take part. "
    "Validation "
    "and test of one seed share one encoder and so its luck; if the same seeds chose and reported, "
    "the score would be too high, most for a loss with many equally good configurations. The score is "
    "thus that of tuning on half of the seeds. "
)

_CHOSEN_BY_ITSELF = (
    "The tuned configuration of a loss is the one with the best mean of the reported metric over seeds: nothing is "
    "held out. Its score is cross-fitted: for each seed, the other half of the seeds chooses the configuration, and "
    "that seed counts. The score is thus that of tuning on half of the seeds. "
)


def _selection(findings: StudyAnalysis) -> str:
    metric = findings.info.metric
    opening = _CHOSEN_ON_VALIDATION if metric.held_out else _CHOSEN_BY_ITSELF
    if metric.held_out and not metric.chooses_highest:
        opening = opening.replace(
            "the highest mean validation score", f"the lowest mean {metric.selecting_column}"
        )
    if len(findings.info.seeds) < 2:
        return f"{opening}With one seed there is no other: it chooses and reports, so the value is too high."
    agree = [
        f"{findings.info.arm(label).name} {item.tuned.agreeing} of {item.tuned.choices}"
        if item.tuned.choices
        else f"{findings.info.arm(label).name} none yet"
        for label, item in findings.summaries.items()
    ]
    return (
        f"{opening}Of the held-out choices agree with that of all seeds: {listing(agree)}. Each half "
        "chooses by what the other is scored with, so the halves' scores are correlated and the standard "
        "error is widened, by the larger of √1.5 and S / (S − 1) for S seeds. Leaving out one seed at a "
        "time instead would share almost all choosing seeds: intervals made for 95 % then miss in up to a "
        "fifth of studies with ten seeds."
    )


def _default(findings: StudyAnalysis) -> str:
    told = []
    for label, item in findings.summaries.items():
        arm = findings.info.arm(label)
        told.append(f"{arm.name} at {', '.join(place_words(item.default, arm))}")
    return (
        "The configuration nearest (in logarithms) to the loss's own defaults, where they are known; any other axis, "
        f"such as batch size, stands at its middle value: {'; '.join(told)}."
    )


def _intervals(findings: StudyAnalysis) -> str:
    """The unit of resampling, and how the interval of each score is computed."""
    info, level = findings.info, f"{100 * LEVEL:.0f} %"
    sets = (
        "whatever it sets in these trials"
        if info.imported
        else "which sets initialisation, batch order and views; the label draws are the same in every trial"
    )
    images = (
        " Images of the test set are not resampled." if info.metric.held_out and not info.imported else ""
    )
    return (
        f"The unit of resampling is the seed, {sets}. Tuned, default and average: Student's {level} interval over "
        f"seeds, from two seeds on, cut at what is possible. {_FILLED} "
        f"From {MIN_SEEDS_EXTREMES} seeds on, both conservative: "
        f"the worst {100 * TAIL:.0f} % between Student's intervals of what all seeds and what the other half "
        f"choose, the tolerance from simultaneous bands of all cells.{images}"
    )


_FILLED = (
    "The average fills in a few missing trials from an additive fit of configuration and seed, over seeds that know "
    "at least 80 % of the space and configurations that more than half of those seeds know; its interval is widened."
)


def _measure(findings: StudyAnalysis) -> str:
    opening = (
        "Scores over the space weigh it uniformly in the logarithm of its axes: a grid value counts for "
        "half the log-distance to each neighbour. On a grid of equal log-steps that is the plain mean "
        "over cells. "
    )
    others = []
    for label, cells in findings.cells.items():
        measures = [axis.info.measure for axis in cells.axes if axis.numeric and len(axis.values) > 1]
        if set(measures) - {LOG}:
            others.append(f"{findings.info.arm(label).name} {' and '.join(measures)}")
    named = (
        "The study names other measures, one an axis (linear: uniform in the value; each: one share a "
        f"value): {', '.join(others)}. "
    )
    names = dict.fromkeys(
        axis.info.words for cells in findings.cells.values() for axis in cells.axes[:2] if not axis.numeric
    )
    equal = f"Categories ({listing(list(names))}) have equal shares. " if names else ""
    return f"{opening}{named if others else ''}{equal}Another range of temperatures would give other scores."


def _failures(findings: StudyAnalysis) -> str:
    scale = Scale(findings.info.metric)
    guessing = (
        ", that of guessing" if findings.info.metric.noun == "accuracy" and not findings.info.imported else ""
    )
    averages = "" if findings.adaptive else " Averages without failed trials stand beside the failures."
    pruned = (
        "A configuration that the search stopped early takes no part in choices."
        if findings.adaptive
        else "A pruned trial counts as missing."
    )
    return (
        "A diverged or crashed trial, one out of memory or time, and one without a finite score count as "
        f"the worst outcome: {scale.with_unit(findings.info.metric.worst_score)}{guessing}. {_in_choices(findings)} "
        f"In figures they stay empty and hatched. {pruned}{averages}"
    )


def _in_choices(findings: StudyAnalysis) -> str:
    """The value of a failed trial in the column that chooses configurations."""
    metric = findings.info.metric
    if not metric.held_out:
        return "In choices of configurations they stand below every finished trial of their loss."
    value = metric.worst_selecting_value
    shown = f"{value:.4g}"
    if not metric.selecting_apart:
        shown = Scale(metric).with_unit(metric.selecting_sign * value)
    return (
        f"In what chooses configurations ({metric.selecting_column}) they count as {shown}, or as just below the "
        "worst finished trial of their loss if that is worse, so a configuration that failed is not chosen for it."
    )
