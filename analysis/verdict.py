"""The report's opening: what was found and how sure it is, in plain sentences computed from the findings."""

import math
from collections.abc import Callable, Sequence

from analysis.findings import Findings
from analysis.statistics.compare import BETTER, IDENTICAL, INCOMPLETE, TOO_FEW, UNDECIDED, WORSE, Comparison
from analysis.statistics.intervals import LEVEL, Estimate
from analysis.statistics.null_control import DIFFERENT, NOT_COMPARABLE, NullControl
from analysis.statistics.power import POWER, seeds_needed
from analysis.statistics.robustness import RobustnessSummary
from analysis.wording import counted, listing, p_value, percent, points, with_interval

#: Scores that are compared, in words, with where a summary holds them.
SCORES: dict[str, tuple[str, Callable[[RobustnessSummary], Estimate]]] = {
    "tuned": ("tuned accuracy", lambda item: item.tuned.estimate),
    "mean": ("average accuracy over the space", lambda item: item.mean),
}

_GROUPS = {
    BETTER: "better for {}",
    WORSE: "worse for {}",
    UNDECIDED: "undecided for {}",
    IDENTICAL: "the very same for {}",
    TOO_FEW: "too few seeds to judge {}",
    INCOMPLETE: "not judged while trials are missing: {}",
}


def verdict_sentences(findings: Findings) -> list[str]:
    """The sentences, most important first. A study without any result has one sentence."""
    summaries = list(findings.summaries.values())
    if all(summary.missing == summary.planned for summary in summaries):
        planned = sum(summary.planned for summary in summaries)
        return [f"Nothing can be said yet: none of the {counted(planned, 'planned trial')} has a result."]
    progress = _progress(summaries)
    if not findings.any_finished:
        return [progress, "No trial ended with a score, so no loss can be judged."]
    complete = all(summary.complete for summary in summaries)
    decisions = [_decision(findings, score) for score in SCORES if findings.comparisons]
    levels = [_level(findings, score) for score in SCORES]
    controls = [null_control_sentence(findings, control) for control in findings.null_controls]
    body = [*decisions, *levels, _tolerance(findings), *controls]
    return [*body, progress] if complete else [progress, *body]


def null_control_sentence(findings: Findings, control: NullControl) -> str:
    """How far two arms lie apart that are one method to the optimiser."""
    opening = f"{listing([_name(findings, label) for label in control.arms])} are one method to the optimiser"
    if control.verdict == NOT_COMPARABLE:
        return f"{opening} but share no comparable trials, so this check is open."
    pairs = counted(control.one_failed, "pair")
    failed = f" In {pairs} of trials only one of the two failed." if control.one_failed else ""
    if control.identical == control.trials:
        return f"{opening}, and score the same in all {control.trials} pairs of trials.{failed}"
    distance = (
        f"averaged over seeds, their configurations differ by up to {percent(control.largest_cell)} points; "
        f"single trials by {percent(control.rms)} points in root mean square, where two seeds of one loss "
        f"differ by {percent(control.seed_noise)}"
    )
    return f"{opening}: {distance}. {_null_verdict(control)}{failed}"


def _null_verdict(control: NullControl) -> str:
    if control.verdict == DIFFERENT:
        p = p_value(control.p)
        return f"Their averages differ (p {p}), more than chance would have them: look for an error."
    if control.rms > control.seed_noise:
        return "Their averages do not differ beyond chance, but single trials differ more than seeds do."
    return "No difference beyond chance; gaps this small mean nothing."


def _name(findings: Findings, label: str) -> str:
    return findings.info.arm(label).name


def _decision(findings: Findings, score: str) -> str:
    """What the paired comparisons of one score decide."""
    items = [item for item in findings.comparisons if item.score == score]
    judged = [item for item in items if item.verdict != INCOMPLETE]
    over = f" over {counted(min(item.difference.seeds for item in judged), 'paired seed')}" if judged else ""
    told = [text.format(listing(_named(findings, items, verdict))) for verdict, text in _GROUPS.items()]
    kept = [text for text, verdict in zip(told, _GROUPS, strict=True) if _named(findings, items, verdict)]
    words = SCORES[score][0].capitalize()
    opening = f"{words}, compared with {findings.info.reference_arm.name}{over}: {'; '.join(kept)}."
    return f"{opening} {_resolution(findings, judged)}".strip()


def _named(findings: Findings, items: Sequence[Comparison], verdict: str) -> list[str]:
    chosen = [item for item in items if item.verdict == verdict]
    if verdict in (BETTER, WORSE):
        return [f"{_name(findings, item.arm)} ({points(item.difference.value)} points)" for item in chosen]
    return [_name(findings, item.arm) for item in chosen]


def _resolution(findings: Findings, judged: Sequence[Comparison]) -> str:
    """What this many seeds could have found, and how many would find a difference of the tolerance."""
    open_ = [item for item in judged if item.verdict == UNDECIDED and item.deviation > 0]
    if not open_:
        return ""
    sharpest = min(open_, key=lambda item: item.detectable)
    bound = "more than 100" if sharpest.detectable > 1 else f"at least {percent(sharpest.detectable)}"
    median = sorted(item.deviation for item in open_)[len(open_) // 2]
    tolerance, family = findings.info.tolerance, len(findings.comparisons)
    wanted = seeds_needed(tolerance, median, alpha=(1 - LEVEL) / family)
    needed = f"about {wanted}" if wanted else "more than 100"
    seeds = counted(sharpest.difference.seeds, "seed")
    return (
        f"Undecided is no proof of equality: with {seeds}, a study like this finds a true difference in "
        f"{100 * POWER:.0f} % of cases only if it is {bound} points, in the least noisy of these "
        f"comparisons. To find {100 * tolerance:g} points it would take {needed} seeds, if the noise stays as "
        "seen here."
    )


def _level(findings: Findings, score: str) -> str:
    """The highest arm and the reference in one score; complete arms alone where there are any."""
    words, estimate = SCORES[score]
    summaries = {label: item for label, item in findings.summaries.items() if item.finished}
    ended = {label: item for label, item in summaries.items() if item.complete} or summaries
    known = {label: estimate(item) for label, item in ended.items()}
    known = {label: item for label, item in known.items() if math.isfinite(item.value)}
    if not known:
        return f"No loss has its {words} yet."
    best, reference = max(known, key=lambda label: known[label].value), findings.info.reference_arm.label
    opening = f"Highest {words} on test" if len(summaries) > 1 else f"{words.capitalize()} on test"
    text = f"{opening}: {_name(findings, best)} with {with_interval(known[best])}"
    if best != reference and reference in known:
        text += f"; {_name(findings, reference)} has {with_interval(known[reference])}"
    brackets = f" (in brackets: {100 * LEVEL:.0f} % interval over seeds)" if "[" in text else ""
    return f"{text}{brackets}."


def _tolerance(findings: Findings) -> str:
    """Share of the space near each loss's own best, most robust first."""
    known = {label: item.tolerance for label, item in findings.summaries.items()}
    ranked = sorted(
        (label for label in known if math.isfinite(known[label].value)), key=lambda a: -known[a].value
    )
    told = ", ".join(f"{_name(findings, label)} {with_interval(known[label])}" for label in ranked)
    unsure = any(not known[label].has_interval for label in ranked)
    caution = " Too few seeds or trials for an interval: no ranking yet." if unsure else ""
    eps = f"{100 * findings.info.tolerance:g}"
    return f"Share of the space within {eps} points of each loss's own best: {told}.{caution}"


def _progress(summaries: Sequence[RobustnessSummary]) -> str:
    """How much of the study is there, and what failed."""
    planned, missing = sum(item.planned for item in summaries), sum(item.missing for item in summaries)
    failed, ended = sum(item.failed for item in summaries), planned - missing
    failures = (
        f"{failed} of {ended} failed, which counts as guessing" if failed else f"none of {ended} failed"
    )
    if missing:
        return f"Provisional: {missing} of {planned} planned trials have no result yet; {failures}."
    return f"All {planned} planned trials have ended; {failures}."
