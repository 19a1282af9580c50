"""What the records of a study recommend to someone who asks for one loss and one setting."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from analysis.fairness.withheld import withheld
from analysis.model.aligned import common_seeds
from analysis.model.cells import Cells
from analysis.model.info import StudyInfo, Value
from analysis.model.variants import Variant
from analysis.names import visible
from analysis.report.batch_sizes import (
    CLOSE,
    at_batch_size,
    batch_sizes,
    nearest,
    only_batch_size,
)
from analysis.report.recommended_notes import (
    check_notes,
    default_note,
    edge_note,
    failure_note,
    missing_note,
    repeated_note,
)
from analysis.report.verdict import maxima_sentences
from analysis.statistics.comparisons.decisions import LESS_ROBUST, MORE_ROBUST
from analysis.statistics.comparisons.looks import FIRST, NO_ERROR_LEFT
from analysis.statistics.comparisons.recommend_loss import have_own_seeds, recommend_loss
from analysis.statistics.comparisons.recommendation import Recommendation
from analysis.statistics.comparisons.simultaneous import MISSING_TRIALS
from analysis.statistics.scores.selection import NONE
from analysis.study_analysis import StudyAnalysis
from analysis.tables.usual_names import STAND_INS
from analysis.wording import Scale, listing, number

CLEAR, WITHIN_TOLERANCE, CANNOT_TELL = "clear", "within tolerance", "cannot tell"

#: The most losses whose missing trials are told by name.
_NAMED = 4


class NoBatchSizeError(ValueError):
    """A batch size is asked for, and the study has none."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to one request. Without `found` the records hold nothing that fits it, and `reason` says why."""

    info: StudyInfo
    batch_size: float | None
    tuned: bool
    reason: str = ""  # why the records support no choice
    found: Recommendation | None = None
    settings: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)  # by loss: column and value
    setting_words: Mapping[str, str] = field(default_factory=dict)  # by loss, such as "temperature 0.3"
    names: Mapping[str, str] = field(default_factory=dict)  # of losses, for readers
    notes: tuple[str, ...] = ()
    #: Pairs of losses that may both be the best, and of which the report decides that the first is more robust.
    more_robust: tuple[tuple[str, str], ...] = ()
    nearest: tuple["Answer", ...] = ()  # at the nearest batch sizes, where the asked one was not swept

    @property
    def verdict(self) -> str:
        """Whether the records support a choice: clear | within tolerance | cannot tell."""
        if self.reason or self.found is None:
            return CANNOT_TELL
        if self.found.is_clear or len(self.found.candidates) == 1:
            return CLEAR
        return WITHIN_TOLERANCE if self.found.regret.high <= self.info.tolerance else CANNOT_TELL


def recommend_from(findings: StudyAnalysis, *, batch_size: float | None = None, tuned: bool = True) -> Answer:
    """The loss and setting that the records of a study on one data set support.

    With `batch_size`, only trials at it are compared. Without `tuned`, each loss has its default setting. A loss is
    not compared if all of its trials failed, or a check of fairness. A study without a look is at its first one.
    Raises `NoBatchSizeError`.
    """
    info = findings.info
    answer = Answer(info=info, batch_size=batch_size, tuned=tuned)
    if reason := _withheld(findings):
        return replace(answer, reason=reason)
    repeated = _repeated(findings)
    losses = {loss: each for loss, each in findings.variants.items() if loss not in repeated}
    if batch_size is not None and (beside := _not_swept(findings, losses, batch_size)) is not None:
        reason, near = beside
        there = tuple(recommend_from(findings, batch_size=value, tuned=tuned) for value in near)
        return replace(answer, reason=reason, nearest=there)
    swept = batch_size if batch_sizes(losses) else None
    names = {loss: findings.whole_name(loss) for loss in losses}
    reasons = {**findings.copied, **withheld(findings.tried)}
    unfair = {loss: reason for loss, reason in reasons.items() if loss in losses}
    told = _by_reason(unfair, names)
    here = at_batch_size({loss: each for loss, each in losses.items() if loss not in unfair}, swept)
    failed = [loss for loss, each in here.items() if _all_failed(each)]
    kept = {loss: each for loss, each in here.items() if loss not in failed}
    if unfair and len(kept) < 2:
        return replace(answer, reason=f"a check failed for {told}")
    if not kept:
        none = "no loss ran at this batch size, other than those that repeat another loss"
        why = "all trials at this batch size failed" if failed else none
        return replace(answer, reason=why)
    cells = {loss: [variant.cells for variant in each] for loss, each in kept.items()}
    if not len(common_seeds([one for each in cells.values() for one in each])) and not have_own_seeds(cells):
        return replace(answer, reason="the losses have no seed in common, so no seed compares them")
    error = info.look.error if info.look is not None else FIRST
    found = recommend_loss(cells, tuned=tuned, error=error or FIRST)
    chosen = {each.loss: kept[each.loss][each.variant] for each in found.candidates}
    places = {each.loss: each.cell for each in found.candidates}
    absent = [names[loss] for loss in losses if loss not in here and loss not in unfair]
    notes = [
        f"Not compared, since a check failed: {told}." if told else "",
        f"Not compared, since all trials failed: {listing([names[loss] for loss in failed])}."
        if failed
        else "",
        *check_notes(findings, unfair),
        edge_note(found.chosen, chosen[found.chosen.loss].cells, swept) if tuned and not info.drawn else "",
        failure_note(cells, names, Scale(info.metric)),
        missing_note(findings),
        *maxima_sentences(findings),
        "" if tuned else default_note([cells[each.loss][each.variant] for each in found.candidates], swept),
        "" if found.paired else "Losses are not paired by seed, since they have different seeds.",
        f"Not run at this batch size: {listing(absent)}." if absent else "",
        repeated_note([findings.whole_name(label) for label in sorted(repeated)]),
        info.look_note,
    ]
    return replace(
        answer,
        reason=_named_reason(found.reason, cells, names) or ("" if error else NO_ERROR_LEFT),
        found=found,
        settings={loss: _setting(variant, places[loss]) for loss, variant in chosen.items()},
        setting_words={loss: _setting_words(variant, places[loss]) for loss, variant in chosen.items()},
        names=names,
        more_robust=_more_robust(findings, found),
        notes=tuple(filter(None, notes)),
    )


def _withheld(findings: StudyAnalysis) -> str:
    """Why the study supports no recommendation, whatever its scores are; "" otherwise."""
    if not findings.info.ranks_losses:
        return "the study tests claims and does not compare losses"
    if findings.info.metric.no_choice:
        return findings.info.metric.no_choice
    if findings.adaptive:
        return "an adaptive search chose the settings by the scores of all seeds, so no seed only scores"
    if not findings.any_finished:
        ended = any(summary.ended for summary in findings.summaries.values())
        return "no trial ended with a score" if ended else "no trial has a result yet"
    return ""


def _not_swept(
    findings: StudyAnalysis, losses: Mapping[str, Sequence[Variant]], asked: float
) -> tuple[str, list[float]] | None:
    """That a batch size was not swept, with the nearest ones that were; None where it was."""
    swept, only = batch_sizes(losses), only_batch_size(findings.info)
    known = swept or [value for value in (only,) if value is not None]
    if not known:
        raise NoBatchSizeError("the study has no batch sizes")
    if any(math.isclose(asked, value, rel_tol=CLOSE) for value in known):
        return None
    told = f"{asked:.12g}"
    near = nearest(known, asked)
    if len(known) == 1:
        return f"every trial has batch size {number(known[0])}, none has {told}", near
    values = listing([number(value) for value in near])
    which = "the nearest that were" if len(near) > 1 else "the nearest that was"
    return f"batch size {told} was not swept; {which}: {values}", near


def _by_reason(unfair: Mapping[str, str], names: Mapping[str, str]) -> str:
    """The losses of failed checks, each reason once."""
    losses: dict[str, list[str]] = {}
    for loss, reason in unfair.items():
        losses.setdefault(reason, []).append(names[loss])
    return "; ".join(f"{listing(found)} ({reason})" for reason, found in losses.items())


def _all_failed(variants: Sequence[Variant]) -> bool:
    """Whether trials of a loss ended, and none with a score."""
    ended = any((variant.cells.failed | variant.cells.finished).any() for variant in variants)
    return ended and not any(variant.cells.finished.any() for variant in variants)


def _more_robust(findings: StudyAnalysis, found: Recommendation) -> tuple[tuple[str, str], ...]:
    """Of the candidates that may be the best, those that the report decides to be more robust than another one."""
    decisions = findings.decisions
    open_ = [each.loss for each in found.candidates if each.may_be_best]
    if decisions is None or decisions.reference not in open_:
        return ()
    standing = {loss: decisions.standing(loss) for loss in open_ if loss != decisions.reference}
    more = [(loss, decisions.reference) for loss, word in standing.items() if word == MORE_ROBUST]
    return (*more, *((decisions.reference, loss) for loss, word in standing.items() if word == LESS_ROBUST))


def _named_reason(reason: str, losses: Mapping[str, Sequence[Cells]], names: Mapping[str, str]) -> str:
    """The reason, with the names of losses whose trials are missing."""
    lacking = [names[loss] for loss, each in losses.items() if any(cells.missing.any() for cells in each)]
    if reason != MISSING_TRIALS or not lacking:
        return reason
    return f"trials of {listing(lacking) if len(lacking) <= _NAMED else f'{len(lacking)} losses'} are missing"


def _repeated(findings: StudyAnalysis) -> set[str]:
    """The losses that decisions leave out, because they repeat another loss."""
    info = findings.info
    return {info.arm(label).whole_label for label in info.repeats}


def _setting(variant: Variant, cell: int) -> dict[str, Value]:
    """The value of every axis of a configuration, by column, in the order of columns; empty without a cell."""
    if cell == NONE:
        return {}
    found = {**variant.fixed, **variant.cells.place(cell)}
    return {name: found[name] for name in sorted(found) if name not in STAND_INS}


def _setting_words(variant: Variant, cell: int) -> str:
    """A text such as `batch size 64, temperature 0.3`."""
    infos = {axis.name: axis for axis in (*variant.axes, *(axis.info for axis in variant.cells.axes))}
    return ", ".join(
        f"{infos[name].words} {_value(value)}" for name, value in _setting(variant, cell).items()
    )


def _value(value: Value) -> str:
    return number(value) if isinstance(value, (float, str)) else visible(str(value))
