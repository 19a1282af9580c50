"""The section on methods: how the numbers were computed."""

from analysis.model.weights import LOG
from analysis.report.sections.content import Content
from analysis.report.sections.space.scores import place_words
from analysis.report.verdict_conditions import any_decided
from analysis.statistics.comparisons.looks import FIRST
from analysis.statistics.intervals.jackknife import LEAST_SEEDS
from analysis.statistics.intervals.student import LEVEL
from analysis.statistics.scores.robustness import COLLAPSE_RANK, TAIL
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, listing


def methods_section(findings: StudyAnalysis) -> Content:
    """Definitions and choices, each with its values in this study."""
    tail, decisions = f"{100 * TAIL:.0f} %", findings.decisions
    facts = (
        ("Selection", _selection(findings)),
        ("Default", _default(findings)),
        ("Measure", _measure(findings)),
        ("Failures", _failures(findings)),
        ("Intervals", _intervals(findings)),
        *([("Decisions", _DECISIONS)] if decisions is not None and any_decided(decisions) else []),
        (
            f"Worst {tail}",
            (
                f"Mean of the {tail} of the ranges that one seed ranks lowest (conditional value at risk), scored on "
                "another seed and averaged over all pairs of seeds."
            ),
        ),
        ("Collapse", f"A finished trial with an effective rank below {COLLAPSE_RANK:g} dimensions."),
    )
    of_space = ("Default", "Measure", f"Worst {tail}")
    told = tuple(fact for fact in facts if not (findings.adaptive and fact[0] in of_space))
    return Content(title="Methods", facts=told, folded=True)


_CHOSEN_ON_VALIDATION = (
    "The tuned score is the expected test score of the configuration that one seed's validation selects, scored on "
    "another seed and averaged over all pairs of seeds; the test set never selects. Validation and test of one seed "
    "share an encoder, so a lucky encoder raises both. The configuration shown has the highest mean validation score "
    "over seeds."
)

_CHOSEN_BY_ITSELF = (
    "The tuned score is the expected score of the configuration that one seed selects, scored on another seed and "
    "averaged over all pairs of seeds. Nothing is held out: the reported metric selects too. The configuration shown "
    "is the one with the best mean over seeds."
)

_NOT_CHOSEN = (
    "All training images train, and there are no validation scores. Test scores must not select, so no configuration "
    "is chosen: there are no tuned scores, no prices of not tuning and no recommendation. Averages need no choice. "
    "Test scores of one seed rank the configurations of the worst tenth, and another seed scores them."
)


def _selection(findings: StudyAnalysis) -> str:
    metric = findings.info.metric
    if metric.no_choice:
        return _NOT_CHOSEN
    opening = _CHOSEN_ON_VALIDATION if metric.held_out else _CHOSEN_BY_ITSELF
    if metric.held_out and not metric.chooses_highest:
        opening = opening.replace(
            "the highest mean validation score", f"the lowest mean {metric.selecting_column}"
        )
    if len(findings.info.seeds) < 2:
        return f"{opening} With one seed there is no other: it chooses and reports, so the value is too high."
    return opening


def _default(findings: StudyAnalysis) -> str:
    places = {
        label: ", ".join(place_words(item.default, findings.info.arm(label)))
        for label, item in findings.summaries.items()
    }
    told: dict[str, list[str]] = {}
    for label, place in places.items():
        if findings.info.arm(label).name not in findings.hidden:
            told.setdefault(place, []).append(findings.info.arm(label).name)
    return (
        "The configuration nearest to the loss's own defaults; any other axis stands at its middle value: "
        f"{'; '.join(f'{place} for {listing(names)}' for place, names in told.items())}."
    )


def _intervals(findings: StudyAnalysis) -> str:
    """The unit of resampling, and how the interval of each score is computed."""
    info, level = findings.info, f"{100 * LEVEL:.0f} %"
    sets = (
        "whatever it sets in these trials"
        if info.imported
        else "which sets initialisation, batch order and views; the label draws are the same in every trial"
    )
    ranked = "Worst" if info.metric.no_choice else "Tuned and worst"
    images = " Images of the test set are not resampled." if info.metric.on_test and not info.imported else ""
    return (
        f"{level}, over seeds, {sets}. Default and average: Student's, from two seeds on. {ranked} "
        f"{100 * TAIL:.0f} %: Student's over pairs of seeds; in simulated studies these hold the true value in 90 to "
        f"98 % of cases. Shares of the ranges: conservative, from {LEAST_SEEDS} seeds on. Scores that are equal at "
        "all seeds have one step of the metric to each side. Averages fill in a "
        f"few missing trials from an additive fit.{images}"
    )


_DECISIONS = (
    "The intervals of the verdict share the chance of any wrong decision (Bonferroni's inequality). It is nominal: "
    f"at a first look it is {100 * FIRST:g} %, and at most 6 % of simulated studies decide anything wrong."
)


def _measure(findings: StudyAnalysis) -> str:
    opening = "Averages weigh the ranges uniformly in the logarithm of each axis. "
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
    return f"{opening}{named if others else ''}{equal}Other ranges give other scores."


def _failures(findings: StudyAnalysis) -> str:
    scale = Scale(findings.info.metric)
    guessing = (
        ", that of guessing" if findings.info.metric.noun == "accuracy" and not findings.info.imported else ""
    )
    pruned = (
        "A configuration that the search stopped early takes no part in choices."
        if findings.adaptive
        else "A pruned trial counts as missing."
    )
    return (
        "A trial that diverged, crashed, ran out of memory or time, or has no finite score counts as the worst "
        f"outcome: {scale.with_unit(findings.info.metric.worst_score)}{guessing}. {_in_choices(findings)} {pruned}"
    )


def _in_choices(findings: StudyAnalysis) -> str:
    """The value of a failed trial in the column that chooses configurations."""
    metric = findings.info.metric
    if metric.no_choice:
        return "It ranks below every finished one."
    if not metric.held_out:
        return "It is never chosen before a finished one."
    value = metric.worst_selecting_value
    shown = f"{value:.4g}"
    if not metric.selecting_apart:
        shown = Scale(metric).with_unit(metric.selecting_sign * value)
    return (
        f"In {metric.selecting_column}, which selects, it counts as {shown}, or as just below the worst finished "
        "trial of its loss if that is worse."
    )
