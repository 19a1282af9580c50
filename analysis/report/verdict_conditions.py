"""The conditions of a verdict in one line: seeds, configurations, epochs, ranges, tolerance and error."""

import math
import statistics
from collections.abc import Iterator

import numpy as np

from analysis.model.cells import Cells
from analysis.statistics.comparisons.decisions import AVERAGE, NOT_TUNING, WITHHELD, Decisions
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, counted, listing, number

_EPOCHS = "hp_epochs"
_NAMED = 3  # losses with failures up to this number have a count each


#: Kinds of conditions with one text; each axis that varies is a kind of its own.
SEEDS, TOLERANCE, ERROR, RESOLUTION = "seeds", "tolerance", "error", "resolution"
TRIALS, CONFIGURATIONS, EPOCHS = "trials", "configurations", "epochs"


def conditions(findings: StudyAnalysis) -> dict[str, str]:
    """The conditions by kind, the most important first. The error is that of all decisions together."""
    return dict(_parts(findings))


def seeds_words(findings: StudyAnalysis) -> str:
    """A text such as `5 seeds`, or `5 seeds a loss, 10 in all` where losses have seeds of their own."""
    found = [set(cells.seeds.tolist()) for cells in findings.wholes.values()]
    every = set().union(*found)
    if all(own == every for own in found):
        return counted(len(every), "seed")
    sizes = sorted(map(len, found))
    span = f"{sizes[0]} to {sizes[-1]}" if sizes[0] < sizes[-1] else str(sizes[0])
    return f"{span} seed{'' if sizes[-1] == 1 else 's'} a loss, {len(every)} in all"


def pairing_words(findings: StudyAnalysis, decisions: Decisions) -> str:
    """Whether the differences are paired by seed; a loss with fewer than two seeds of the reference is not."""
    seeds = findings.wholes[decisions.reference].seeds
    losses = list(dict.fromkeys(item.loss for item in decisions.items))
    apart = [loss for loss in losses if len(np.intersect1d(findings.wholes[loss].seeds, seeds)) < 2]
    if not apart or len(seeds) < 2:
        return "seed by seed"
    if len(apart) == len(losses):
        return "not paired by seed, since the losses have different seeds"
    names = listing([findings.whole_name(loss) for loss in apart])
    return f"seed by seed, except {names}, which {'have' if len(apart) > 1 else 'has'} other seeds"


def any_decided(decisions: Decisions) -> bool:
    """Whether at least one decision is not withheld, and so may be wrong."""
    return any(item.verdict != WITHHELD for item in decisions.items)


def _parts(findings: StudyAnalysis) -> Iterator[tuple[str, str]]:
    info, decisions = findings.info, findings.decisions
    yield SEEDS, seeds_words(findings)
    if decisions is not None and decisions.items:
        size = f"{info.metric.factor * info.tolerance:g} {info.metric.difference_unit}"
        yield TOLERANCE, f"tolerance {size} ({info.tolerance_source}): smaller differences count as equal"
        if any_decided(decisions):
            error = f"{100 * decisions.error:.2g}"
            yield ERROR, f"nominal {error} % chance of any wrong decision among all {len(decisions.items)}"
        if resolved := _resolution(findings, decisions):
            yield RESOLUTION, resolved
    yield TRIALS, _trials(findings)
    if findings.ranks_losses:
        yield CONFIGURATIONS, _configurations(findings)
    if epochs := _epochs(findings):
        yield EPOCHS, epochs
    yield from _ranges(findings)


def _trials(findings: StudyAnalysis) -> str:
    """How many trials ended and failed, and of which losses those are that failed."""
    summaries = findings.summaries.values()
    failed, ended, pruned = (
        sum(getattr(item, name) for item in summaries) for name in ("failed", "ended", "pruned")
    )
    metric = findings.info.metric
    source = f" ({metric.worst_source})" if metric.worst_source else ""
    worst = f"{Scale(metric).with_unit(metric.worst_score)}{source}"
    counts = {loss: int(cells.failed.sum()) for loss, cells in findings.wholes.items()}
    losses = [f"{count} of {findings.whole_name(loss)}" for loss, count in counts.items() if count]
    told = listing(losses) if len(losses) <= _NAMED else f"{failed} of {len(losses)} losses"
    lost = f"{told} failed, which count as {worst}" if failed else "none failed"
    stopped = f", {pruned} more stopped early by the search" if pruned else ""
    return f"{counted(ended, 'trial')}, {lost}{stopped}"


def _configurations(findings: StudyAnalysis) -> str:
    """The planned configurations of each compared loss, as its decisions use them, and its variants."""
    left_out = findings.decisions.left_out if findings.decisions is not None else ()
    losses = [variants for loss, variants in findings.variants.items() if loss not in left_out]
    sizes = [sum(int(each.cells.planned.any(axis=1).sum()) for each in variants) for variants in losses]
    counts = [len(variants) for variants in losses]
    apart = f", in {_between(counts)} variants" if max(counts) > 1 else ""
    return f"{_between(sizes)} configuration{'' if max(sizes) == 1 else 's'} a loss{apart}"


def _epochs(findings: StudyAnalysis) -> str:
    if _EPOCHS not in findings.table.columns:
        return ""
    found = sorted(findings.table[_EPOCHS].dropna().unique().tolist())
    return f"{_between(found)} epochs" if found else ""


def _ranges(findings: StudyAnalysis) -> Iterator[tuple[str, str]]:
    """Each axis that varies, once: its range over all losses, or its number of categories."""
    found: dict[str, list[Cells]] = {}
    for cells in findings.wholes.values():
        for axis in cells.axes:
            if len(axis.values) > 1:
                found.setdefault(axis.info.words, []).append(cells)
    for words, owners in found.items():
        axes = [axis for cells in owners for axis in cells.axes if axis.info.words == words]
        if all(axis.numeric for axis in axes):
            values = np.concatenate([axis.values for axis in axes])
            yield (
                f"range of {words}",
                f"{words} {number(float(values.min()))} to {number(float(values.max()))}",
            )
        else:
            count = len({value for axis in axes for value in axis.values.tolist()})
            yield f"range of {words}", f"{count} values of {words}"


def resolution(decisions: Decisions, question: str) -> float:
    """The difference that a study resolves in a question, in raw scores; NaN where none has an interval.

    It is half the width of the simultaneous interval of the difference from the reference, over seeds: the median of
    the compared losses that have an interval. A loss that varies more than the others has a wider interval.
    """
    halves = [
        (item.difference.high - item.difference.low) / 2
        for item in decisions.items
        if item.question == question and item.difference.has_interval
    ]
    return statistics.median(halves) if halves else math.nan


def _resolution(findings: StudyAnalysis, decisions: Decisions) -> str:
    """The differences that the study resolves; empty where none has an interval."""
    metric = findings.info.metric
    found = {"price of not tuning": NOT_TUNING, f"average {metric.noun}": AVERAGE}
    sizes = [
        f"{Scale(metric).size(half)} in {words}"
        for words, question in found.items()
        if math.isfinite(half := resolution(decisions, question))
    ]
    return f"resolves differences of {listing(sizes)}, in {metric.difference_unit}" if sizes else ""


def _between(values: list) -> str:
    low, high = min(values), max(values)
    return number(low) if low == high else f"{number(low)} to {number(high)}"
