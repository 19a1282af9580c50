"""The opening of a report: results and their certainty in plain sentences, computed from the analysis."""

import math
from collections.abc import Callable, Sequence

from analysis.fairness.card import FAIL, Card
from analysis.fairness.checks import check_fairness
from analysis.model.claims import CONFIRMED
from analysis.report.verdict_null_control import null_control_sentence
from analysis.report.verdict_power import resolution_sentence, seeds_words
from analysis.statistics.comparisons.compare import (
    BETTER,
    IDENTICAL,
    INCOMPLETE,
    TOO_FEW,
    UNDECIDED,
    WORSE,
    Comparison,
)
from analysis.statistics.comparisons.equivalence import EQUIVALENT
from analysis.statistics.comparisons.null_control import DIFFERENT
from analysis.statistics.intervals.student import LEVEL, Estimate
from analysis.statistics.scores.robustness import RobustnessSummary
from analysis.study_analysis import StudyAnalysis, judged_claims
from analysis.wording import Scale, counted, listing, opened, p_value, with_interval

#: Compared scores: a text about the metric, and the estimate in a summary.
SCORES: dict[str, tuple[str, Callable[[RobustnessSummary], Estimate]]] = {
    "tuned": ("tuned {}", lambda item: item.tuned.estimate),
    "mean": ("average {} over the space", lambda item: item.mean),
}

_ADAPTIVE = (
    "An adaptive search chose the configurations, so only what tuning finds at its budget is told, and nothing of "
    "how robust a loss is over the space."
)

_MANY = "The study compares {} problems, losses and budgets, too many to rank: its tables hold all of them."

_GROUPS = {
    BETTER: "better for {}",
    WORSE: "worse for {}",
    UNDECIDED: "undecided for {}",
    IDENTICAL: "the very same for {}",
    TOO_FEW: "too few seeds to judge {}",
    INCOMPLETE: "not judged while trials are missing: {}",
}


def verdict_sentences(findings: StudyAnalysis) -> list[str]:
    """The sentences, most important first.

    That trials are missing and that a check of fairness failed come first, because they put all else in doubt.
    """
    results = result_sentences(findings)
    first = 0 if findings.complete else 1
    return [*results[:first], *failed_sentences(findings), *results[first:]]


def short_sentences(findings: StudyAnalysis) -> list[str]:
    """The sentences for a terminal: all failed checks, and two of the others, decided comparisons first."""
    decided = [_decision(findings, score) for score in findings.info.scores if _is_decided(findings, score)]
    results = result_sentences(findings)
    first = [text for text in results if text in decided]
    rest = [text for text in results if text not in decided]
    return [*failed_sentences(findings), *[*first, *rest][:2]]


def failed_sentences(findings: StudyAnalysis) -> list[str]:
    """A sentence for each failed check of fairness; none where losses are not compared."""
    if not findings.ranks_losses:
        return []
    return [failed_sentence(card) for card in check_fairness(findings) if card.level == FAIL]


def failed_sentence(card: Card) -> str:
    """A failed check as a sentence of the verdict."""
    return f"Failed check “{card.title}”: {card.text}"


def _is_decided(findings: StudyAnalysis, score: str) -> bool:
    return any(item.score == score and item.verdict in (BETTER, WORSE) for item in findings.comparisons)


def result_sentences(findings: StudyAnalysis) -> list[str]:
    """The sentences besides those on failed checks. A study without any result has one."""
    summaries = list(findings.summaries.values())
    if all(summary.missing == summary.planned for summary in summaries):
        planned = sum(summary.planned for summary in summaries)
        return [f"Nothing can be said yet: none of the {counted(planned, 'planned trial')} has a result."]
    progress = _progress(summaries, findings)
    if not findings.any_finished:
        return [progress, "No trial ended with a score, so no loss can be judged."]
    complete = all(summary.complete for summary in summaries)
    if not findings.ranks_losses:
        return [*_claims(findings), *many_sentences(findings), progress]
    decisions = [_decision(findings, score) for score in findings.info.scores if findings.comparisons]
    decisions += [] if findings.adaptive else _equal(findings)
    levels = [_level(findings, score) for score in findings.info.scores]
    controls = [
        null_control_sentence(findings, control)
        for control in findings.null_controls
        if control.verdict != DIFFERENT  # its failed check says so
    ]
    space = _ADAPTIVE if findings.adaptive else _tolerance(findings)
    sure = all(item.tolerance.has_interval for item in findings.summaries.values())
    opening = [space, *decisions, *levels] if sure or findings.adaptive else [*decisions, *levels, space]
    body = [*_claims(findings), *opening, *controls]
    return [*body, progress] if complete else [progress, *body]


def _claims(findings: StudyAnalysis) -> list[str]:
    """How many of the study's claims hold; empty for a study without claims."""
    found = judged_claims(findings)
    sure = [item for item in found if item.status == CONFIRMED]
    open_ = [
        f"“{item.claim.claim.rstrip('.')}” ({item.status})" for item in found if item.status != CONFIRMED
    ]
    if not found:
        return []
    rest = f"; not so: {listing(open_)}" if open_ else ""
    return [f"Of {counted(len(found), 'claim')}, {len(sure)} are confirmed{rest}."]


def many_sentences(findings: StudyAnalysis) -> list[str]:
    """A sentence that there are too many losses to compare.

    Empty where they are compared, or where the study does not intend to compare them.
    """
    meant = findings.info.ranks_losses and not findings.ranks_losses
    return [_MANY.format(len(findings.info.arms))] if meant else []


def _name(findings: StudyAnalysis, label: str) -> str:
    return findings.info.arm(label).name


def _decision(findings: StudyAnalysis, score: str) -> str:
    """The results of the paired comparisons in one score."""
    items = [item for item in findings.comparisons if item.score == score]
    judged = [item for item in items if item.verdict not in (INCOMPLETE, TOO_FEW)]
    over = f" over {seeds_words(judged, 'paired seed')}" if judged else ""
    told = [text.format(listing(_named(findings, items, verdict))) for verdict, text in _GROUPS.items()]
    kept = [text for text, verdict in zip(told, _GROUPS, strict=True) if _named(findings, items, verdict)]
    words = SCORES[score][0].format(findings.info.metric.noun)
    opening = f"{opened(words)}, compared with {findings.info.reference_arm.name}{over}: {'; '.join(kept)}."
    return f"{opening} {resolution_sentence(findings, judged)}".strip()


def _equal(findings: StudyAnalysis) -> list[str]:
    """The losses that are shown to be equivalent to the reference; empty without any."""
    shown = [
        f"{_name(findings, label)} (p {p_value(item.p_holm)})"
        for label, item in findings.equivalences.items()
        if item.verdict == EQUIVALENT
    ]
    metric, reference = findings.info.metric, findings.info.reference_arm.name
    within = f"{metric.factor * findings.info.tolerance:g} {metric.difference_unit}"
    opening = f"Shown to equal {reference} within {within}, averaged over the space"
    return [f"{opening} (two one-sided tests, Holm): {listing(shown)}."] if shown else []


def _named(findings: StudyAnalysis, items: Sequence[Comparison], verdict: str) -> list[str]:
    chosen = [item for item in items if item.verdict == verdict]
    if verdict in (BETTER, WORSE):
        scale, points = Scale(findings.info.metric), findings.info.metric.difference_unit
        gaps = [f"{scale.gap(item.difference.value)} {points}" for item in chosen]
        ends = [scale.gap_interval(item.difference) for item in chosen]
        return [
            f"{_name(findings, item.arm)} ({f'{gap} {end}'.rstrip()})"
            for item, gap, end in zip(chosen, gaps, ends, strict=True)
        ]
    return [_name(findings, item.arm) for item in chosen]


def _level(findings: StudyAnalysis, score: str) -> str:
    """The highest arm and the reference in one score, among complete arms if there are any."""
    template, estimate = SCORES[score]
    words = template.format(findings.info.metric.noun)
    summaries = {label: item for label, item in findings.summaries.items() if item.finished}
    ended = {label: item for label, item in summaries.items() if item.complete} or summaries
    known = {label: estimate(item) for label, item in ended.items()}
    known = {label: item for label, item in known.items() if math.isfinite(item.value)}
    if not known:
        return f"No loss has its {words} yet."
    best, reference = max(known, key=lambda label: known[label].value), findings.info.reference_arm.label
    metric = findings.info.metric
    scale, extreme = Scale(metric), "Highest" if metric.higher_is_better else "Lowest"
    where = " on test" if metric.is_test else ""
    opening = f"{extreme} {words}{where}" if len(summaries) > 1 else f"{opened(words)}{where}"
    text = f"{opening}: {_name(findings, best)} with {scale.with_interval(known[best])}"
    if best != reference and reference in known:
        text += f"; {_name(findings, reference)} has {scale.with_interval(known[reference])}"
    brackets = (
        f" (in brackets: {100 * LEVEL:.0f} % interval over seeds, of each by itself)" if "[" in text else ""
    )
    return f"{text}{brackets}."


def _tolerance(findings: StudyAnalysis) -> str:
    """Share of the space near each loss's best, most robust first."""
    known = {label: item.tolerance for label, item in findings.summaries.items()}
    ranked = sorted(
        (label for label in known if math.isfinite(known[label].value)), key=lambda a: -known[a].value
    )
    told = ", ".join(f"{_name(findings, label)} {with_interval(known[label])}" for label in ranked)
    unsure = [label for label in ranked if not known[label].has_interval]
    caution = f" {_CAUTION.format(_unsure(findings, unsure, ranked))}" if unsure else ""
    metric = findings.info.metric
    eps = f"{metric.factor * findings.info.tolerance:g} {metric.difference_unit}"
    sure = len(unsure) < len(ranked)
    level = f" (in brackets: {100 * LEVEL:.0f} % interval over seeds, conservative)" if sure else ""
    return f"Share of the space within {eps} of each loss's own best: {told}{level}.{caution}"


_CAUTION = "Too few seeds or trials for an interval{}: no ranking yet."


def _unsure(findings: StudyAnalysis, unsure: Sequence[str], ranked: Sequence[str]) -> str:
    """The losses without an interval, by name if other losses have one."""
    return (
        "" if len(unsure) == len(ranked) else f" of {listing([_name(findings, label) for label in unsure])}"
    )


def _progress(summaries: Sequence[RobustnessSummary], findings: StudyAnalysis) -> str:
    """How much of the study has ended, and what failed."""
    planned, missing = sum(item.planned for item in summaries), sum(item.missing for item in summaries)
    pruned = sum(item.pruned for item in summaries)
    failed, ended = sum(item.failed for item in summaries), sum(item.ended for item in summaries)
    worst = Scale(findings.info.metric).with_unit(findings.info.metric.worst_score)
    failures = (
        f"{failed} of {ended} failed, which counts as the worst outcome, {worst}"
        if failed
        else f"none of {ended} failed"
    )
    if missing:
        return f"Provisional: {missing} of {planned} planned trials have no result yet; {failures}."
    stopped = f", {pruned} of them stopped early by the search" if pruned else ""
    return f"All {planned} planned trials have ended{stopped}; {failures}."
