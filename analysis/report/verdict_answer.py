"""The sentences that answer: which losses are more robust than the reference, by how much, and what is open."""

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence

from analysis.report.verdict_clauses import (
    NAMED,
    UNDECIDED,
    below_average_words,
    clause,
    listed,
    size_words,
)
from analysis.report.verdict_conditions import seeds_words
from analysis.report.verdict_phrases import place_of
from analysis.statistics.comparisons.compare import BETTER as TUNED_BETTER
from analysis.statistics.comparisons.compare import WORSE as TUNED_WORSE
from analysis.statistics.comparisons.decisions import (
    AS_ROBUST,
    AVERAGE,
    BETTER,
    BETTER_TUNED,
    CHOSEN_LOW,
    FLAT_BUT_LOW,
    HIGHER_PRICE,
    LESS_ROBUST,
    LOWER_PRICE,
    NOT_TUNING,
    OPEN,
    QUESTIONS,
    REFERENCE_CHOSEN_LOW,
    REFERENCE_LOW,
    TUNED,
    WITHHELD,
    WORSE,
    WORSE_TUNED,
    Decision,
    Decisions,
)
from analysis.statistics.comparisons.simultaneous import LEAST_SEEDS_OF_CHOICES, NEEDS_CHOICES
from analysis.statistics.intervals.student import Estimate
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, listing, opened


def answer(findings: StudyAnalysis, decisions: Decisions) -> list[str]:
    """A few sentences. The first one says which losses are more or less robust than the reference."""
    reference = findings.whole_name(decisions.reference)
    losses = list(dict.fromkeys(item.loss for item in decisions.items))
    where = f"On these ranges and {seeds_words(findings)}"
    if not losses:
        return [_alone(findings, decisions)]
    groups: dict[str, list[str]] = {}
    for loss in sorted(
        losses, key=lambda loss: (place_of(decisions.standing(loss)), -_price(decisions, loss))
    ):
        groups.setdefault(decisions.standing(loss), []).append(loss)
    withheld = groups.pop(WITHHELD, [])
    if len(withheld) == len(losses):
        first = f"{where}, the verdict on robustness is withheld{_reasons(decisions, losses)}."
        return [first, *_below_average(findings, decisions), *_others(findings, decisions, set())]
    undecided = groups.pop(OPEN, [])
    rest = [*_withheld(findings, decisions, withheld), *_below_average(findings, decisions)]
    if not groups:
        first = f"{where}, it is open whether any loss is more or less robust than {reference}."
        return [first, *rest, *_others(findings, decisions, set())]
    told: list[str] = []
    for word, found in groups.items():
        told.append(f"{clause(findings, decisions, word, found, named=not told)}.")
    first = f"{where}, {told[0]}"
    if undecided:
        rest = [f"Open for {listed(findings, undecided)}.", *rest]
    named = {loss for found in groups.values() for loss in found}
    hint = _other_reference(findings) if {REFERENCE_LOW, REFERENCE_CHOSEN_LOW} & set(groups) else []
    return [first, *told[1:], *rest, *hint, *_others(findings, decisions, named)]


def _below_average(findings: StudyAnalysis, decisions: Decisions) -> list[str]:
    """On losses whose chosen configuration is worse than their average, unless their clause says so."""
    standings = {decisions.standing(item.loss) for item in decisions.items}
    found = [
        loss
        for loss in decisions.values
        if decisions.chosen_low(loss)
        and decisions.standing(loss) != CHOSEN_LOW
        and (loss != decisions.reference or REFERENCE_CHOSEN_LOW not in standings)
        and loss not in decisions.left_out
    ]
    if not found:
        return []
    return [f"{opened(below_average_words(findings, decisions, found))}."]


def _other_reference(findings: StudyAnalysis) -> list[str]:
    """How to compare with another loss than a reference that is worse than the others when tuned."""
    if findings.info.imported:
        return ["To compare with another loss, name it with the option --reference."]
    return ["To compare with another loss, set the key “reference” in the study file."]


def _price(decisions: Decisions, loss: str) -> float:
    """The size of a decided difference in the price of not tuning, by which losses of one standing are told."""
    found = decisions.of(loss, NOT_TUNING)
    return abs(found.difference.value) if found and found.verdict in (BETTER, WORSE) else 0.0


def _others(findings: StudyAnalysis, decisions: Decisions, named: set[str]) -> list[str]:
    """One sentence on what is decided besides robustness: the largest differences in the other scores."""
    said = {NOT_TUNING} if named else set()
    found = [
        item
        for item in decisions.items
        if item.verdict in (BETTER, WORSE) and item.question not in said and not _is_told(item, decisions)
    ]
    if not found:
        return []
    found.sort(key=lambda item: -abs(item.difference.value))
    texts: dict[str, list[str]] = {}
    for item in found[:NAMED]:
        texts.setdefault(findings.whole_name(item.loss), []).append(_other(findings, item))
    told = [f"{name} {listing(parts)}" for name, parts in texts.items()]
    more = f"; {len(found) - NAMED} more in the table" if len(found) > NAMED else ""
    return [f"Also decided: {'; '.join(told)}{more}."]


def _other(findings: StudyAnalysis, item: Decision) -> str:
    """A text such as `pays 2.0 points less for bad luck [1.2, 2.8]`, without the name of the loss."""
    question, size = QUESTIONS[item.question], size_words(findings, item.difference)
    if not question.price:
        return f"is {item.verdict} in {question.words.format(findings.info.metric.noun)} by {size}"
    word = "less" if item.verdict == BETTER else "more"
    value, bracket, ends = size.partition(" [")
    return f"pays {value} {word} {question.words.replace('price of', 'for')}{bracket}{ends}"


def _is_told(item: Decision, decisions: Decisions) -> bool:
    """Whether the clause on a loss's standing has said this decision already, or says that it means nothing."""
    standing = decisions.standing(item.loss)
    if standing in (WORSE_TUNED, BETTER_TUNED):
        return item.question in (TUNED, AVERAGE)
    if standing == FLAT_BUT_LOW and QUESTIONS[item.question].price:
        return True  # a loss that is low everywhere pays for nothing
    if standing == AS_ROBUST:
        return item.question == TUNED and item.verdict == WORSE
    # their clauses have no tuned difference
    untold = (LESS_ROBUST, LOWER_PRICE, HIGHER_PRICE, *UNDECIDED)
    return item.question == TUNED and standing not in untold


def _withheld(findings: StudyAnalysis, decisions: Decisions, losses: Sequence[str]) -> list[str]:
    return [f"Withheld for {listed(findings, losses)}{_reasons(decisions, losses)}."] if losses else []


def _reasons(decisions: Decisions, losses: Collection[str]) -> str:
    """Why the price of not tuning is not decided, in brackets; of many reasons the first two."""
    found = dict.fromkeys(
        item.reason.rstrip(".")
        for item in decisions.items
        if item.question == NOT_TUNING and item.loss in losses and item.reason
    )
    return f" ({'; '.join(list(found)[:2])})" if found else ""


def _alone(findings: StudyAnalysis, decisions: Decisions) -> str:
    """The values of the only loss."""
    scale, label = Scale(findings.info.metric), decisions.reference
    values = decisions.values[label]
    if not math.isfinite(values[NOT_TUNING].value):
        return f"There is one loss only, so nothing to compare. {_unpriced(findings, label, values)}"
    level = scale.with_interval(values[TUNED])
    if decisions.chosen_low(label):
        return (
            f"There is one loss only, so nothing to compare: {findings.whole_name(label)} reaches {level} "
            f"{findings.info.metric.reported} when tuned; {below_average_words(findings, decisions, [label])}."
        )
    # A difference that is only rounding has no sign.
    paid = dataclasses.replace(values[NOT_TUNING], value=round(values[NOT_TUNING].value, 12) + 0.0)
    name, price = findings.whole_name(label), size_words(findings, paid)
    reached = f"{name} reaches {level} {findings.info.metric.reported} when tuned"
    told = f"{name} pays {price} for not tuning, and{reached.removeprefix(name)}"
    if paid.value < 0:
        told = f"{reached}, {price} worse than on average over the ranges, so no price of not tuning is shown"
    few = not paid.has_interval and len(findings.wholes[label].seeds) < LEAST_SEEDS_OF_CHOICES
    why = f" The price has no interval ({NEEDS_CHOICES})." if few else ""
    return f"There is one loss only, so nothing to compare: {told}.{why}"


def _unpriced(findings: StudyAnalysis, label: str, values: Mapping[str, Estimate]) -> str:
    """Why a loss has no price of not tuning, and its average, which may be known all the same."""
    scale, name = Scale(findings.info.metric), findings.whole_name(label)
    one = len(findings.wholes[label].seeds) == 1
    why = (
        "One seed gives no price of not tuning, since another seed must score what the first one chooses"
        if one
        else f"The price of not tuning is not known ({values[NOT_TUNING].note or 'trials missing'})"
    )
    mean = findings.summaries[findings.parts[label][0]].mean if len(findings.parts[label]) == 1 else None
    if mean is None or not math.isfinite(mean.value):
        return f"{why}."
    average = f"{scale.with_interval(mean)} {findings.info.metric.reported}"
    return f"{why}. {name} reaches {average} on average over the ranges."


_ADAPTIVE = (
    "An adaptive search chose the configurations, so nothing can be said of robustness over the ranges."
)


def adaptive_answer(findings: StudyAnalysis) -> list[str]:
    """The comparisons of tuned scores, where a search chose the configurations."""
    reference = findings.info.reference_arm.name
    found = [item for item in findings.comparisons if item.verdict in (TUNED_BETTER, TUNED_WORSE)]
    texts = [
        f"{findings.info.arm(item.arm).name} is {item.verdict} than {reference} by "
        f"{size_words(findings, item.difference)}"
        for item in sorted(found, key=lambda item: -abs(item.difference.value))
    ]
    noun = f"tuned {findings.info.metric.noun}"
    open_ = [findings.info.arm(item.arm).name for item in findings.comparisons if item not in found]
    first = f"In {noun} at the budget of the search, {listing(texts[:NAMED])}." if texts else ""
    rest = f"{opened(noun)} against {reference} is undecided for {listing(open_)}." if open_ else ""
    return [*filter(None, [first, rest]), _ADAPTIVE]
