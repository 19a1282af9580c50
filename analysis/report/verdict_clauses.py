"""The clauses of a verdict: what it says on the losses of one standing, with the numbers of the decisions."""

from collections.abc import Callable, Sequence

from analysis.statistics.comparisons.decisions import (
    AS_ROBUST,
    BETTER,
    EQUAL,
    FLAT_BUT_LOW,
    HIGHER_PRICE,
    LESS_ROBUST,
    LOWER_PRICE,
    MORE_ROBUST,
    NOT_TUNING,
    OPEN,
    REFERENCE_LOW,
    TUNED,
    WITHHELD,
    WORSE,
    Decision,
    Decisions,
)
from analysis.statistics.intervals.student import Estimate
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, listing

#: Losses that a sentence names with their numbers; of more it gives the count.
NAMED = 3

#: Standings in the order in which losses are told. Standings without a place stand before the open ones.
_ORDER = (MORE_ROBUST, LESS_ROBUST, FLAT_BUT_LOW, REFERENCE_LOW, LOWER_PRICE, HIGHER_PRICE, AS_ROBUST)
UNDECIDED = (OPEN, WITHHELD)


def place_of(standing: str) -> int:
    """The place of losses of a standing in the order in which they are told."""
    if standing in UNDECIDED:
        return len(_ORDER) + 1 + UNDECIDED.index(standing)
    return _ORDER.index(standing) if standing in _ORDER else len(_ORDER)


def _more(findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str], than: str) -> str:
    price = _amounts(findings, decisions, losses, NOT_TUNING, " less for not tuning")
    tuned = {_question(decisions, loss, TUNED).verdict for loss in losses}
    verb = _verb(losses)
    level = {
        frozenset({EQUAL}): f"{verb} as accurate when tuned",
        frozenset({BETTER}): f"{verb} better when tuned",
    }.get(frozenset(tuned), f"{verb} at most {_tolerance(findings, decisions)} worse when tuned")
    named = listed(findings, losses)
    return f"{named} {verb} more robust{than}: {_it_pays(losses)} {price}, and {level}"


def _less(findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str], than: str) -> str:
    price = _amounts(findings, decisions, losses, NOT_TUNING, " more for not tuning")
    equal = all(_question(decisions, loss, TUNED).verdict == EQUAL for loss in losses)
    level = f", and {_verb(losses)} as accurate when tuned" if equal else ""
    return f"{listed(findings, losses)} {_verb(losses)} less robust{than}: {_it_pays(losses)} {price}{level}"


def _flat(findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str], than: str) -> str:
    low = _amounts(findings, decisions, losses, TUNED, "")
    return (
        f"{listed(findings, losses)} {_pays(losses)} less for not tuning, but {_verb(losses)} worse{than} when "
        f"tuned, by {low}: flat but low, which is not robust"
    )


def _reference_low(findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str], than: str) -> str:
    reference = findings.whole_name(decisions.reference)
    return (
        f"{_both(findings, decisions, losses, f' than {reference}')}: {reference} pays less only because it is low "
        "everywhere, which is not robust"
    )


def _lower(findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str], than: str) -> str:
    price = _amounts(findings, decisions, losses, NOT_TUNING, f" less{than} for not tuning")
    within = _tolerance(findings, decisions)
    return (
        f"{listed(findings, losses)} {_pays(losses)} {price}, but may be more than {within} worse when tuned"
    )


def _higher(findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str], than: str) -> str:
    price = _amounts(findings, decisions, losses, NOT_TUNING, f" more{than} for not tuning")
    within = _tolerance(findings, decisions)
    return (
        f"{listed(findings, losses)} {_pays(losses)} {price}, but may be more than {within} better when tuned"
    )


def _as(findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str], than: str) -> str:
    named = listed(findings, losses)
    if len(losses) > NAMED and len(losses) == len({item.loss for item in decisions.items}):
        named = f"all {len(losses)} losses"
    reference = findings.whole_name(decisions.reference)
    text = f"{named} {_verb(losses)} as robust as {reference}, within {_tolerance(findings, decisions)}"
    lower = [loss for loss in losses if _question(decisions, loss, TUNED).verdict == WORSE]
    if not lower:
        return text
    whose = "" if len(losses) == 1 else f"{listed(findings, lower)} {_verb(lower)} "
    return f"{text}, but {whose}worse when tuned, by {_amounts(findings, decisions, lower, TUNED, '')}"


def facts(findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str], than: str) -> str:
    """The facts alone, for a standing without a clause of its own; the standing is the last word on it."""
    return f"{_both(findings, decisions, losses, than)}: {decisions.standing(losses[0])}"


def _both(findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str], than: str) -> str:
    """Both differences, which may have either sign, of each loss: in the price and in the tuned score."""
    told = []
    for loss in losses[:NAMED]:
        name = findings.whole_name(loss)
        price, tuned = (_question(decisions, loss, question) for question in (NOT_TUNING, TUNED))
        paid = _amounts(
            findings,
            decisions,
            [loss],
            NOT_TUNING,
            f" {'more' if price.difference.value > 0 else 'less'}{than} for not tuning",
        )
        word = "better" if tuned.difference.value > 0 else "worse"
        sure = "" if tuned.verdict in (BETTER, WORSE) else f" ({tuned.verdict})"
        told.append(
            f"{name} pays {paid}, and is {size_words(findings, tuned.difference)} {word} when tuned{sure}"
        )
    more = f"; and so on for {len(losses) - NAMED} more in the table" if len(losses) > NAMED else ""
    return "; ".join(told) + more


Clause = Callable[[StudyAnalysis, Decisions, Sequence[str], str], str]

CLAUSES: dict[str, Clause] = {
    MORE_ROBUST: _more,
    LESS_ROBUST: _less,
    FLAT_BUT_LOW: _flat,
    REFERENCE_LOW: _reference_low,
    LOWER_PRICE: _lower,
    HIGHER_PRICE: _higher,
    AS_ROBUST: _as,
}


def _verb(losses: Sequence[str]) -> str:
    return "are" if len(losses) > 1 else "is"


def _pays(losses: Sequence[str]) -> str:
    return "pay" if len(losses) > 1 else "pays"


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
        return f"{scale.size(sizes[0])} to {scale.size(sizes[-1])} {unit}{purpose}"
    if len(found) == 1:
        return f"{scale.size(abs(found[0].value))} {unit}{purpose} {_ends(findings, found[0])}".rstrip()
    each = [f"{scale.size(abs(item.value))} {_ends(findings, item)}".rstrip() for item in found]
    return f"{listing(each)} {unit}{purpose}"


def size_words(findings: StudyAnalysis, estimate: Estimate) -> str:
    """A size without a sign, such as `1.2 points [0.8, 1.6]`."""
    scale, unit = Scale(findings.info.metric), findings.info.metric.difference_unit
    return f"{scale.size(abs(estimate.value))} {unit} {_ends(findings, estimate)}".rstrip()


def _ends(findings: StudyAnalysis, estimate: Estimate) -> str:
    """The interval of a difference in the direction of its value, the smaller end first."""
    if not estimate.has_interval:
        return ""
    sign = -1.0 if estimate.value < 0 else 1.0
    scale = Scale(findings.info.metric)
    low, high = sorted((sign * estimate.low, sign * estimate.high))
    return f"[{_plain(scale, low)}, {_plain(scale, high)}]"


def _plain(scale: Scale, value: float) -> str:
    return scale.gap(value).removeprefix("+")


def _tolerance(findings: StudyAnalysis, decisions: Decisions) -> str:
    metric = findings.info.metric
    return f"{metric.factor * decisions.tolerance:g} {metric.difference_unit}"
