"""One answer for each loss over several data sets: sentences of the opening and the table of the overview."""

import math
from collections.abc import Sequence

from analysis.data_sets import DataSetsAnalysis
from analysis.names import visible
from analysis.report.sections.content import TEXT, Cell, ShownTable, gap_cell, table
from analysis.report.verdict_clauses import place_of
from analysis.statistics.comparisons.decisions import (
    AS_ROBUST,
    FLAT_BUT_LOW,
    HIGHER_PRICE,
    LESS_ROBUST,
    LOWER_PRICE,
    MORE_ROBUST,
    NOT_TUNING,
    OPEN,
    QUESTIONS,
    REFERENCE_LOW,
    TUNED,
    WITHHELD,
    Decision,
)
from analysis.statistics.comparisons.sets_decisions import LEAST_SETS, SetsDecisions, SetsRange
from analysis.wording import NONE, Scale, counted, listing, opened

#: Losses whose differences a sentence tells.
_TOLD = 4


def over_sets_sentences(environments: DataSetsAnalysis) -> list[str]:
    """How each loss stands over all data sets, with the mean and the range of its price of not tuning.

    Empty where losses are not compared over data sets. No verdicts are counted.
    """
    found = environments.over_sets
    if found is None or not found.pooled.items:
        return []
    losses = list(dict.fromkeys(item.loss for item in found.pooled.items))
    pooled = [loss for loss in losses if len(found.sets[loss]) > 1]
    pooled.sort(key=lambda loss: place_of(found.pooled.standing(loss)))
    groups: dict[str, list[str]] = {}
    for loss in pooled:
        groups.setdefault(found.pooled.standing(loss), []).append(loss)
    short = [_standing_words(environments, found, word, each) for word, each in groups.items()]
    told = [_answer(environments, found, loss) for loss in pooled[:_TOLD]]
    over, unit = counted(len(environments.findings), "data set"), environments.info.metric.difference_unit
    more = f"; {len(pooled) - _TOLD} more in the table" if len(pooled) > _TOLD else ""
    return [
        *([f"Averaged over {over}, {'; '.join(short)}."] if short else []),
        *_not_pooled(environments, found, [loss for loss in losses if loss not in pooled]),
        *([f"Price of not tuning, difference in {unit}: {'; '.join(told)}{more}."] if told else []),
    ]


#: What a standing says of losses, with the places of their names, the reference, the tolerance and the reason.
_PHRASES = {
    MORE_ROBUST: "{names} {is_} more robust than {reference}",
    LESS_ROBUST: "{names} {is_} less robust than {reference}",
    FLAT_BUT_LOW: (
        "{names} {pays} less than {reference} for not tuning, but {is_} worse when tuned: flat but low, which is not "
        "robust"
    ),
    REFERENCE_LOW: (
        "{names} {pays} more than {reference} for not tuning, but {is_} better when tuned: {reference} is flat but "
        "low, which is not robust"
    ),
    LOWER_PRICE: (
        "{names} {pays} less than {reference} for not tuning, but may be more than {within} worse when tuned"
    ),
    HIGHER_PRICE: (
        "{names} {pays} more than {reference} for not tuning, but may be more than {within} better when tuned"
    ),
    AS_ROBUST: "{names} {is_} as robust as {reference}, within {within}",
    OPEN: "it is open whether {names} {is_} more or less robust than {reference}",
    WITHHELD: "the verdict on {names} is withheld{reason}",
}


def _standing_words(
    environments: DataSetsAnalysis, found: SetsDecisions, word: str, losses: Sequence[str]
) -> str:
    """A clause on the losses of one standing; both facts for a standing that has no phrase."""
    metric, pooled = environments.info.metric, found.pooled
    price, tuned = pooled.of(losses[0], NOT_TUNING), pooled.of(losses[0], TUNED)
    assert price is not None
    assert tuned is not None
    facts = (
        f"{{names}} {{pays}} {'more' if price.difference.value > 0 else 'less'} than {{reference}} for not tuning, "
        f"and {{is_}} {tuned.verdict} in tuned score: {word}"
    )
    reason = f" ({price.reason.rstrip('.')})" if price.reason else ""
    return _PHRASES.get(word, facts).format(
        names=listing([_named(environments, found, loss) for loss in losses]),
        is_="are" if len(losses) > 1 else "is",
        pays="pay" if len(losses) > 1 else "pays",
        reference=environments.name_of(pooled.reference),
        within=f"{metric.factor * pooled.tolerance:g} {metric.difference_unit}",
        reason=reason,
    )


def _named(environments: DataSetsAnalysis, found: SetsDecisions, loss: str) -> str:
    """The name of a loss, with its data sets if it is compared on fewer than there are."""
    name, sets = environments.name_of(loss), found.sets[loss]
    if len(sets) == len(environments.findings):
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
    note = (
        f"Differences to {reference} in {unit}. “Mean difference”: simultaneous interval for these data sets, over "
        "seeds. “Over data sets”: each data set is one value, resampled over data sets; "
        f"{f'needs {LEAST_SETS}' if few else 'an interval of each by itself'}."
    )
    return table(columns, [_row(environments, found, item) for item in found.pooled.items], note=note)


def _answer(environments: DataSetsAnalysis, found: SetsDecisions, loss: str) -> str:
    """A text such as `dhel −2.1 [−3.0, −1.2] (−3.1 on b to −1.0 on a)`."""
    scale, item = Scale(environments.info.metric), found.pooled.of(loss, NOT_TUNING)
    name = _named(environments, found, loss)
    if item is None or not math.isfinite(item.difference.value):
        return f"{name} {NONE}"
    ends = scale.gap_interval(item.difference)
    span = _range_words(found.ranges[loss, NOT_TUNING], scale)
    return f"{name} {f'{scale.gap(item.difference.value)} {ends}'.rstrip()} ({span})"


def _range_words(item: SetsRange, scale: Scale) -> str:
    if not item.sets:
        return NONE
    ends = ((item.least, item.sets[0]), (item.most, item.sets[-1]))[: len(item.sets)]
    return " to ".join(f"{scale.gap(value)} on {visible(name)}" for value, name in ends)


def _row(environments: DataSetsAnalysis, found: SetsDecisions, item: Decision) -> list[Cell | str]:
    metric, spread = environments.info.metric, found.ranges[item.loss, item.question]
    scale = Scale(metric)
    return [
        environments.name_of(item.loss),
        opened(QUESTIONS[item.question].words.format(metric.noun)),
        gap_cell(item.difference, scale),
        Cell(text=_range_words(spread, scale), below=listing([visible(name) for name in spread.sets])),
        gap_cell(spread.over_sets, scale),
        Cell(text=item.verdict, below=item.reason),
    ]
