"""One answer for each loss over several data sets: sentences of the opening and the table of the overview."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.data_sets import DataSetsAnalysis
from analysis.names import visible
from analysis.report.sections.content import TEXT, Cell, ShownTable, gap_cell, table
from analysis.report.verdict_phrases import phrase, place_of
from analysis.report.verdict_questions import signs_words
from analysis.statistics.comparisons.decisions import (
    BETTER,
    CHOSEN_LOW,
    EQUAL,
    FLAT_BUT_LOW,
    LESS_ROBUST,
    MORE_ROBUST,
    NOT_TUNING,
    OPEN,
    QUESTIONS,
    REFERENCE_CHOSEN_LOW,
    REFERENCE_LOW,
    TUNED,
    WITHHELD,
    WORSE,
    Decision,
)
from analysis.statistics.comparisons.sets_decisions import LEAST_SETS, SetsDecisions, SetsRange
from analysis.statistics.intervals.student import Estimate
from analysis.wording import NONE, Scale, counted, listing, opened

#: Losses whose differences a sentence tells.
_TOLD = 4
#: Data sets that a sentence names.
_SETS = 8


def over_sets_sentences(environments: DataSetsAnalysis) -> list[str]:
    """How each loss stands over all data sets, with the mean and the range of its price of not tuning.

    Empty where losses are not compared over data sets. No verdicts are counted.
    """
    found = environments.over_sets
    if found is None or not found.pooled.items:
        return []
    losses = list(dict.fromkeys(item.loss for item in found.pooled.items))
    pooled = [loss for loss in losses if len(found.sets[loss]) > 1]
    by_set = {loss: _by_standing(environments, found, loss) for loss in pooled}
    differing = {
        loss: words
        for loss in pooled
        if (words := _difference_words(environments, found, loss, by_set[loss]))
    }
    pooled.sort(key=lambda loss: place_of(found.pooled.standing(loss)))
    groups: dict[str, list[str]] = {}
    for loss in (loss for loss in pooled if loss not in differing):
        groups.setdefault(found.pooled.standing(loss), []).append(loss)
    short = [_standing_words(environments, found, word, each) for word, each in groups.items()]
    alone = [
        f"{environments.name_of(loss)} ({_sets_words(by_set[loss])})"
        for loss in pooled
        if loss not in differing and set(by_set[loss]) - {found.pooled.standing(loss), OPEN, WITHHELD}
    ]
    more = f"; {len(alone) - _TOLD} more in the table" if len(alone) > _TOLD else ""
    metric = environments.info.metric
    over = counted(_count(environments), "data set")
    apart = environments.without_reference
    if apart:
        name = environments.name_of(environments.reference)
        over += f" (not {_named_sets(apart)}, which {'lacks' if len(apart) == 1 else 'lack'} {name})"
    return [
        *differing.values(),
        *([f"Averaged over {over}, {'; '.join(short)}."] if short else []),
        *([f"On single data sets: {', '.join(alone[:_TOLD])}{more}."] if alone else []),
        *_not_pooled(environments, found, [loss for loss in losses if loss not in pooled]),
        *_sizes(
            environments,
            found,
            pooled,
            NOT_TUNING,
            f"Price of not tuning, difference in {metric.difference_unit}, less is better",
        ),
        *_sizes(environments, found, pooled, TUNED, f"Tuned {metric.noun}, difference, plus is better"),
    ]


#: Standings for and against a loss. One of each kind, on two data sets, contradict each other.
_FOR = (MORE_ROBUST, REFERENCE_LOW, REFERENCE_CHOSEN_LOW)
_AGAINST = (LESS_ROBUST, FLAT_BUT_LOW, CHOSEN_LOW)


def _by_standing(environments: DataSetsAnalysis, found: SetsDecisions, loss: str) -> dict[str, list[str]]:
    """The data sets of each standing that a loss has on single ones, those with an answer first."""
    sets: dict[str, list[str]] = {}
    for data in found.sets[loss]:
        decisions = environments.findings[data].decisions
        if decisions is not None:
            sets.setdefault(decisions.standing(loss), []).append(data)
    return dict(sorted(sets.items(), key=lambda item: place_of(item[0])))


def _opposed(by_set: Mapping[str, Sequence[str]]) -> bool:
    return any(word in by_set for word in _FOR) and any(word in by_set for word in _AGAINST)


def _difference_words(
    environments: DataSetsAnalysis, found: SetsDecisions, loss: str, by_set: Mapping[str, Sequence[str]]
) -> str:
    """A sentence that data sets contradict each other on a loss, which a mean hides; empty where they agree.

    They do where the loss pays less than the reference on some and more on others, or where it is more robust on some
    and less robust or low on others.
    """
    name, reference = environments.name_of(loss), environments.name_of(found.pooled.reference)
    spread = found.ranges[loss, NOT_TUNING]
    if spread.order_differs:
        sets = spread.by_verdict
        told = [f"; {word} on {_named_sets(sets[word])}" for word in (EQUAL, OPEN, WITHHELD) if word in sets]
        return (
            f"The order of {name} and {reference} differs between data sets: for not tuning, {name} pays less on "
            f"{_named_sets(sets[BETTER])}, and more on {_named_sets(sets[WORSE])}{''.join(told)}."
        )
    if _opposed(by_set):
        return f"Data sets differ on {name} against {reference}: {_sets_words(by_set)}."
    return ""


def _sets_words(by_set: Mapping[str, Sequence[str]]) -> str:
    """A text such as `more robust on one; flat but low on two`."""
    return "; ".join(f"{word} on {_named_sets(names)}" for word, names in by_set.items())


def _sizes(
    environments: DataSetsAnalysis, found: SetsDecisions, losses: Sequence[str], question: str, title: str
) -> list[str]:
    """A sentence with the mean difference and the range over data sets of a few losses."""
    told = [_answer(environments, found, loss, question) for loss in losses[:_TOLD]]
    more = f"; {len(losses) - _TOLD} more in the table" if len(losses) > _TOLD else ""
    return [f"{title}: {'; '.join(told)}{more}."] if told else []


def _count(environments: DataSetsAnalysis) -> int:
    """The number of data sets over which losses are averaged."""
    return len(environments.findings) - len(environments.without_reference)


def _named_sets(names: Sequence[str]) -> str:
    few = len(names) <= _SETS
    return listing([visible(each) for each in names]) if few else counted(len(names), "data set")


def _standing_words(
    environments: DataSetsAnalysis, found: SetsDecisions, standing: str, losses: Sequence[str]
) -> str:
    """A clause on the losses of one standing."""
    metric, price = environments.info.metric, found.pooled.of(losses[0], NOT_TUNING)
    told = phrase(
        standing,
        listing([_named(environments, found, loss) for loss in losses]),
        environments.name_of(found.pooled.reference),
        f"{metric.factor * found.pooled.tolerance:g} {metric.difference_unit}",
        several=len(losses) > 1,
    )
    return f"{told} ({price.reason.rstrip('.')})" if price and price.reason else told


def _named(environments: DataSetsAnalysis, found: SetsDecisions, loss: str) -> str:
    """The name of a loss, with its data sets if it is compared on fewer than there are."""
    name, sets = environments.name_of(loss), found.sets[loss]
    if len(sets) == _count(environments):
        return name
    where = (
        listing([visible(each) for each in sets]) if len(sets) <= _TOLD else counted(len(sets), "data set")
    )
    return f"{name} (on {where} only)"


def _not_pooled(environments: DataSetsAnalysis, found: SetsDecisions, losses: Sequence[str]) -> list[str]:
    """A sentence for each data set on the losses that are compared on it only, so without an average."""
    alone: dict[str, list[str]] = {}
    for loss in losses:
        alone.setdefault(found.sets[loss][0], []).append(environments.name_of(loss))
    reference = environments.name_of(found.pooled.reference)
    return [
        f"{listing(names)} {'are' if len(names) > 1 else 'is'} compared with {reference} on {visible(data)} only, "
        f"so {'they have' if len(names) > 1 else 'it has'} no answer over data sets."
        for data, names in alone.items()
    ]


def over_sets_table(environments: DataSetsAnalysis) -> ShownTable | None:
    """Mean, range and intervals of every loss and question over the data sets; None without any."""
    found = environments.over_sets
    if found is None or not found.pooled.items:
        return None
    columns = [
        ("Loss", TEXT),
        ("Question", TEXT),
        "Mean difference",
        ("Range over data sets", TEXT),
        "Over data sets",
        ("Decision", TEXT),
    ]
    few = len(environments.findings) < LEAST_SETS
    reference, unit = environments.name_of(found.pooled.reference), environments.info.metric.difference_unit
    over = f"needs {LEAST_SETS}" if few else "an interval of each by itself"
    note = (
        f"Differences to {reference} in {unit}; {signs_words(environments.info.metric)}. “Mean difference”: "
        "simultaneous interval for these data sets, over seeds. “Over data sets”: each data set is one value, "
        f"resampled over data sets; {over}."
    )
    return table(columns, [_row(environments, found, item) for item in found.pooled.items], note=note)


def _answer(environments: DataSetsAnalysis, found: SetsDecisions, loss: str, question: str) -> str:
    """A text such as `dhel −2.1 [−3.0, −1.2] (−3.1 on b to −1.0 on a)`."""
    info = environments.info
    scale, item = Scale(info.metric, info.tolerance), found.pooled.of(loss, question)
    name = _named(environments, found, loss)
    if item is None or not math.isfinite(item.difference.value):
        return f"{name} {NONE}"
    ends = scale.gap_interval(item.difference)
    span = _range_words(found.ranges[loss, question], scale)
    return f"{name} {f'{scale.gap(item.difference.value)} {ends}'.rstrip()} ({span})"


def _range_words(item: SetsRange, scale: Scale) -> str:
    if not item.sets:
        return NONE
    ends = ((item.least, item.sets[0]), (item.most, item.sets[-1]))[: len(item.sets)]
    if len(ends) > 1 and scale.gap(item.least) == scale.gap(item.most):
        return f"{scale.gap(item.least)} on each"
    return " to ".join(f"{scale.gap(value)} on {visible(name)}" for value, name in ends)


def _row(environments: DataSetsAnalysis, found: SetsDecisions, item: Decision) -> list[Cell | str]:
    metric, spread = environments.info.metric, found.ranges[item.loss, item.question]
    scale = Scale(metric, environments.info.tolerance)
    between = [visible(name) for name in spread.sets]
    return [
        environments.name_of(item.loss),
        opened(QUESTIONS[item.question].words.format(metric.noun)),
        _gap(item.difference, scale),
        Cell(text=_range_words(spread, scale), below=listing(between) if len(between) > 2 else ""),
        gap_cell(spread.over_sets, scale),
        _decision(item, spread),
    ]


def _gap(difference: Estimate, scale: Scale) -> Cell:
    """A difference; why it has no interval stands beside its decision."""
    cell = gap_cell(difference, scale)
    return cell if difference.has_interval else replace(cell, below="")


def _decision(item: Decision, spread: SetsRange) -> Cell:
    if not spread.order_differs:
        return Cell(text=item.verdict, below=item.reason)
    better, worse = (_named_sets(spread.by_verdict[word]) for word in (BETTER, WORSE))
    return Cell(text="order differs", below=f"better on {better}; worse on {worse}")
