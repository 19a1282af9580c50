"""The clauses of a verdict: what it says on the losses of one standing, with the numbers of the decisions."""

from collections.abc import Sequence

from analysis.report.verdict_phrases import phrase
from analysis.statistics.comparisons.decisions import (
    AS_ROBUST,
    AVERAGE,
    BETTER,
    BETTER_TUNED,
    CHOSEN_LOW,
    EQUAL,
    FLAT_BUT_LOW,
    HIGHER_PRICE,
    LESS_ROBUST,
    LOWER_PRICE,
    MORE_ROBUST,
    NOT_TUNING,
    OPEN,
    REFERENCE_CHOSEN_LOW,
    REFERENCE_LOW,
    TUNED,
    WITHHELD,
    WORSE,
    WORSE_TUNED,
    Decision,
    Decisions,
)
from analysis.statistics.intervals.student import Estimate
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, listing

#: Losses that a sentence names with their numbers; of more it gives the count.
NAMED = 3

UNDECIDED = (OPEN, WITHHELD)


def clause(
    findings: StudyAnalysis, decisions: Decisions, standing: str, losses: Sequence[str], *, named: bool
) -> str:
    """What the verdict says on the losses of a decided standing; with the name of the reference if `named`."""
    reference = findings.whole_name(decisions.reference)
    than = f" than {reference}" if named else ""
    price = ""
    if standing in (LOWER_PRICE, HIGHER_PRICE, REFERENCE_LOW):
        less = "less" if standing == LOWER_PRICE else "more"
        price = _amounts(findings, decisions, losses, NOT_TUNING, f" {less}{than} for not tuning")
    apart = (WORSE_TUNED, BETTER_TUNED)
    low = standing in (FLAT_BUT_LOW, REFERENCE_LOW, CHOSEN_LOW, REFERENCE_CHOSEN_LOW, *apart)
    chosen = ""
    if standing in (CHOSEN_LOW, REFERENCE_CHOSEN_LOW):
        whose = losses if standing == CHOSEN_LOW else [decisions.reference]
        chosen = below_average_words(findings, decisions, whose)
    every = len(losses) > NAMED and len(losses) == len({item.loss for item in decisions.items})
    told = phrase(
        standing,
        f"all {len(losses)} losses" if every and standing == AS_ROBUST else listed(findings, losses),
        reference,
        _tolerance(findings, decisions),
        several=len(losses) > 1,
        than=than,
        price=price,
        by=f", by {_amounts(findings, decisions, losses, TUNED, '')}" if low else "",
        average=f", by {_amounts(findings, decisions, losses, AVERAGE, '')}" if standing in apart else "",
        chosen=chosen,
    )
    return told + _detail(findings, decisions, standing, losses)


def below_average_words(findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str]) -> str:
    """That validation chooses configurations of these losses that are worse than their averages, and by how much."""
    found = [decisions.values[loss][NOT_TUNING] for loss in losses]
    sizes = listing([size_words(findings, item) for item in found[:NAMED]])
    by = f", by {sizes}" if len(found) <= NAMED else ""
    whose = listed(findings, losses)
    if len(losses) == 1:
        return f"validation chooses a configuration of {whose} that is worse than its average{by}"
    return f"validation chooses configurations of {whose} that are worse than their averages{by}"


def _detail(findings: StudyAnalysis, decisions: Decisions, standing: str, losses: Sequence[str]) -> str:
    """What follows the phrase: price and tuned score where the losses differ, and equal ones that tune worse."""
    verdicts = {loss: _question(decisions, loss, TUNED).verdict for loss in losses}
    tuned, verb = set(verdicts.values()), _verb(losses)
    if standing == MORE_ROBUST:
        price = _amounts(findings, decisions, losses, NOT_TUNING, " less for not tuning")
        level = f"at most {_tolerance(findings, decisions)} worse"
        if tuned in ({EQUAL}, {BETTER}):
            level = "as accurate" if tuned == {EQUAL} else "better"
        return f": {_it_pays(losses)} {price}, and {verb} {level} when tuned"
    if standing == LESS_ROBUST:
        price = _amounts(findings, decisions, losses, NOT_TUNING, " more for not tuning")
        level = f", and {verb} as accurate when tuned" if tuned == {EQUAL} else ""
        return f": {_it_pays(losses)} {price}{level}"
    if standing != AS_ROBUST:
        return ""
    lower = [loss for loss, verdict in verdicts.items() if verdict == WORSE]
    unsure = [
        loss
        for loss in losses
        if loss not in lower and not _question(decisions, loss, TUNED).difference.low >= -decisions.tolerance
    ]
    told = []
    if lower:
        whose = "" if len(losses) == 1 else f"{listed(findings, lower)} {_verb(lower)} "
        told.append(f"{whose}worse when tuned, by {_amounts(findings, decisions, lower, TUNED, '')}")
    if unsure:
        whose = "" if len(losses) == len(unsure) else f"{listed(findings, unsure)} "
        told.append(f"{whose}may be more than {_tolerance(findings, decisions)} worse when tuned")
    return f", but {', and '.join(told)}" if told else ""


def _verb(losses: Sequence[str]) -> str:
    return "are" if len(losses) > 1 else "is"


def _it_pays(losses: Sequence[str]) -> str:
    return "they pay" if len(losses) > 1 else "it pays"


def _question(decisions: Decisions, loss: str, question: str) -> Decision:
    found = decisions.of(loss, question)
    assert found is not None  # a loss with a standing has both
    return found


def listed(findings: StudyAnalysis, losses: Sequence[str]) -> str:
    """The names of losses, or their number beyond a few."""
    names = [findings.whole_name(loss) for loss in losses]
    if len(names) > NAMED + 1:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more losses"
    return listing(names)


def _amounts(
    findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str], question: str, purpose: str
) -> str:
    """How much less or more: `1.2 points less for not tuning [0.8, 1.6]`, or the range over many losses."""
    found = [_question(decisions, loss, question).difference for loss in losses]
    scale, unit = Scale(findings.info.metric), findings.info.metric.difference_unit
    if len(found) > NAMED:
        sizes = sorted(abs(item.value) for item in found)
        return f"{scale.exact_size(sizes[0])} to {scale.exact_size(sizes[-1])} {unit}{purpose}"
    if len(found) == 1:
        return f"{scale.exact_size(abs(found[0].value))} {unit}{purpose} {_ends(findings, found[0])}".rstrip()
    each = [f"{scale.exact_size(abs(item.value))} {_ends(findings, item)}".rstrip() for item in found]
    return f"{listing(each)} {unit}{purpose}"


def size_words(findings: StudyAnalysis, estimate: Estimate) -> str:
    """A size without a sign, such as `1.2 points [0.8, 1.6]`."""
    scale, unit = Scale(findings.info.metric), findings.info.metric.difference_unit
    return f"{scale.exact_size(abs(estimate.value))} {unit} {_ends(findings, estimate)}".rstrip()


def _ends(findings: StudyAnalysis, estimate: Estimate) -> str:
    """The interval of a difference in the direction of its value, the smaller end first."""
    if not estimate.has_interval:
        return ""
    sign = -1.0 if estimate.value < 0 else 1.0
    scale = Scale(findings.info.metric, findings.info.tolerance)
    low, high = (
        scale.end(end).removeprefix("+") for end in sorted((sign * estimate.low, sign * estimate.high))
    )
    return f"[{low}, {high}]"


def _tolerance(findings: StudyAnalysis, decisions: Decisions) -> str:
    metric = findings.info.metric
    return f"{metric.factor * decisions.tolerance:g} {metric.difference_unit}"
