"""Decisions of studies on a grid, from the cells of every loss, with noise pooled over losses."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from analysis.model.aligned import common_seeds
from analysis.model.cells import Cells
from analysis.statistics.comparisons.decisions import QUESTIONS, Decision, Decisions, decided
from analysis.statistics.comparisons.looks import Look
from analysis.statistics.comparisons.loss_values import (
    AVERAGE,
    BAD_LUCK,
    NOT_TUNING,
    TUNED,
    LossValues,
    fails_sometimes,
    loss_values,
)
from analysis.statistics.comparisons.simultaneous import (
    LEAST_SEEDS_OF_CHOICES,
    NEEDS_CHOICES,
    NO_VARIATION,
    REASONS,
    Intervals,
    simultaneous_intervals,
)
from analysis.statistics.intervals.moments import Moments, unpaired
from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.pairs_of_seeds import pair_scores


def decide(
    losses: Mapping[str, Sequence[Cells]],
    reference: str,
    *,
    tolerance: float,
    span: float = 1.0,
    look: Look | None = None,
    left_out: Collection[str] = (),
    withheld: Mapping[str, str] | None = None,
) -> Decisions:
    """Decides every question for every loss against the reference.

    `losses` maps each loss to the cells of its variants. Losses in `left_out` (of null controls) get values and no
    decision, and their noise is not pooled. A loss with fewer than two seeds in common with the reference is compared
    without pairs (`intervals.moments.unpaired`). Without a `look` this is the first one. `withheld` maps losses to
    the reason, such as a failed fairness check, for which their comparisons are not decided; intervals are given all
    the same.
    """
    compared = [loss for loss in losses if loss != reference and loss not in left_out]
    groups = _groups(losses, reference, compared, withheld or {})
    most = max((len(seeds) for seeds, _ in groups), default=len(losses[reference][0].seeds))
    look = look or Look(first=most, seeds=most)
    step = losses[reference][0].metric.step
    comparisons = max(len(compared) * len(QUESTIONS), 1)
    items: dict[tuple[str, str], Decision] = {}
    sporadic = any(fails_sometimes(cells.failed) for loss in (reference, *compared) for cells in losses[loss])

    def add(loss: str, question: str, both: Estimate, alone: Estimate, reason: str) -> None:
        items[loss, question] = decided(
            loss=loss,
            reference=reference,
            question=question,
            difference=both,
            alone=alone,
            tolerance=tolerance,
            reason=(withheld or {}).get(loss, "") or reason,
        )

    for seeds, members in groups:
        pooled = [[cells.on_seeds(seeds) for cells in losses[loss]] for loss in (reference, *members)]
        values = [_values(variants, step, sporadic=sporadic) for variants in pooled]
        for question in QUESTIONS:
            found = simultaneous_intervals(values, 0, question, look.error, comparisons)
            for at, loss in enumerate(members, start=1):
                add(loss, question, *_estimates(found, at, len(seeds), len(values), span))
    grouped = {loss for _, members in groups for loss in members}
    own = _own_moments(losses[reference], step, sporadic=sporadic) if len(grouped) < len(compared) else {}
    for loss in (loss for loss in compared if loss not in grouped):
        for name, moments in _own_moments(losses[loss], step, sporadic=sporadic).items():
            apart = unpaired(moments, own[name])
            both = apart.estimate(level=1 - look.error / comparisons, bounds=(-span, span))
            reason = f"{_NO_COMMON}; {apart.note}" if not apart.known else "" if apart.error else NO_VARIATION
            add(loss, name, both, apart.estimate(bounds=(-span, span)), reason)
    return Decisions(
        reference=reference,
        tolerance=tolerance,
        error=look.error,
        look=look,
        items=tuple(items[loss, name] for loss in compared for name in QUESTIONS),
        values={loss: _own_estimates(variants, span) for loss, variants in losses.items()},
        left_out=tuple(left_out),
    )


#: Reason for losses without a common seed, which have no pairs.
_NO_COMMON = "fewer than two seeds in common with the reference"


def _groups(
    losses: Mapping[str, Sequence[Cells]],
    reference: str,
    compared: Sequence[str],
    withheld: Collection[str],
) -> list[tuple[np.ndarray, list[str]]]:
    """The losses whose noise is pooled, with the seeds that they and the reference have in common.

    These are at least two seeds, or the only seed of a loss. Losses with other common seeds form groups of their own,
    so that a loss with few seeds takes none from the others. So does each loss whose decisions are withheld.
    """
    groups: dict[tuple[object, ...], tuple[np.ndarray, list[str]]] = {}
    for loss in compared:
        common = common_seeds([*losses[reference], *losses[loss]])
        fewest = min(len(cells.seeds) for cells in (*losses[reference], *losses[loss]))
        if len(common) >= min(2, fewest) > 0:
            key = (*common.tolist(), loss if loss in withheld else "")
            groups.setdefault(key, (common, []))[1].append(loss)
    return list(groups.values())


def _values(variants: Sequence[Cells], step: float, *, sporadic: bool) -> LossValues:
    return loss_values(
        [cells.test for cells in variants],
        [cells.validation for cells in variants],
        [cells.weights for cells in variants],
        [cells.failed for cells in variants],
        step=step,
        sporadic=sporadic,
    )


def _estimates(
    found: Intervals, at: int, seeds: int, losses: int, span: float
) -> tuple[Estimate, Estimate, str]:
    """The difference with its simultaneous interval, with that of its comparison alone, and why it is withheld."""
    value, reason = float(found.value[at]), REASONS[found.reason[at]]
    if reason:
        bare = Estimate(value=value, seeds=seeds, note=reason)
        return bare, bare, reason
    method = f"noise pooled over {losses} losses, {int(found.freedom)} df"
    if found.unlike[at]:
        method += f", or the noise of a loss unlike the others, {seeds - 1} df, where larger"
    both, alone = (
        _interval(value, float(half[at]), span=span, seeds=seeds, method=method)
        for half in (found.half, found.alone)
    )
    return both, alone, ""


def _interval(value: float, half: float, *, span: float, seeds: int, method: str) -> Estimate:
    return Estimate(
        value=value, low=max(value - half, -span), high=min(value + half, span), seeds=seeds, method=method
    )


def _own_moments(variants: Sequence[Cells], step: float, *, sporadic: bool) -> dict[str, Moments]:
    """The loss's own value of each question, with the error by its own seeds."""
    seeds = common_seeds(variants)
    found = _values([cells.on_seeds(seeds) for cells in variants], step, sporadic=sporadic)
    moments = {}
    for name in QUESTIONS:
        value, by_seed = float(found.mean[name]), found.by_seed[name]
        if len(seeds) < 2 or not np.isfinite(by_seed).all():
            few = len(seeds) < (2 if name == AVERAGE and found.plain else LEAST_SEEDS_OF_CHOICES)
            note = "too few seeds" if few else "trials missing"
            moments[name] = Moments(value=value, seeds=len(seeds), note=note)
            continue
        cell, explained = float(found.cell_error[name]) ** 2, float(found.explained[name]) ** 2
        shown = by_seed.var(ddof=1) / len(seeds)
        variance = (cell + max(shown - explained, 0.0)) * float(found.widen) ** 2
        moments[name] = Moments(
            value=value,
            parts=((variance, len(seeds) - 1.0),),
            seeds=len(seeds),
            method=f"spread over seeds, at least the noise of cells, {len(seeds) - 1} df",
        )
    return moments


def _own_estimates(variants: Sequence[Cells], span: float) -> dict[str, Estimate]:
    """The loss's own value of each question by itself, as the sections on single scores have it.

    Prices have an interval from as many seeds on as their differences.
    """
    seeds = common_seeds(variants)
    metric = variants[0].metric
    found = pair_scores([cells.on_seeds(seeds) for cells in variants])
    values = {
        NOT_TUNING: found.tuned - found.average,
        TUNED: found.tuned,
        AVERAGE: found.average,
        BAD_LUCK: found.average - found.worst,
    }
    estimates = {
        name: pair_estimate(
            pairs,
            bounds=(-span, span) if QUESTIONS[name].price else metric.score_bounds,
            step=metric.step,
            widen=1.0 if name == TUNED else found.widen,
        )
        for name, pairs in values.items()
    }
    few = len(seeds) < LEAST_SEEDS_OF_CHOICES
    return {
        name: Estimate(value=item.value, seeds=item.seeds, note=NEEDS_CHOICES)
        if few and QUESTIONS[name].price
        else item
        for name, item in estimates.items()
    }
