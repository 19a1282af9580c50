"""What the records of a study recommend to someone who asks for one loss and one setting, in words and as data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from analysis.fairness.card import FAIL
from analysis.fairness.checks import check_fairness
from analysis.fairness.withheld import withheld
from analysis.model.cells import Cells
from analysis.model.info import ArmInfo, StudyInfo, Value
from analysis.names import visible
from analysis.report.batch_sizes import at_batch_size, batch_axis, batch_sizes, nearest
from analysis.report.verdict import failed_sentence
from analysis.statistics.comparisons.looks import FIRST
from analysis.statistics.comparisons.recommendation import (
    Candidate,
    Recommendation,
    common_seeds,
    recommend_loss,
)
from analysis.statistics.intervals.student import Estimate
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, counted, listing, number, opened

CLEAR, WITHIN_TOLERANCE, CANNOT_TELL = "clear", "within tolerance", "cannot tell"

#: The most rivals that have a line of their own, and the most lines of an answer.
_MOST_RIVALS, _MOST_LINES = 4, 10

#: Columns that stand in for the axes of a table that has fewer than two.
_STAND_INS = ("hp_setting", "hp_constant")


class NoBatchSizeError(ValueError):
    """A batch size is asked for, and no loss has one."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to one request. Without `found` the records hold nothing that fits it, and `reason` says why."""

    info: StudyInfo
    batch_size: float | None
    tuned: bool
    reason: str = ""  # why the records support no choice
    found: Recommendation | None = None
    settings: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)  # by loss: column and value
    names: Mapping[str, str] = field(default_factory=dict)  # of losses, for readers
    notes: tuple[str, ...] = ()
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

    With `batch_size`, only trials at it are compared. Without `tuned`, each loss has its default setting. A
    study without a look is at its first one. Raises `NoBatchSizeError`.
    """
    info = findings.info
    answer = Answer(info=info, batch_size=batch_size, tuned=tuned)
    losses, arms = _losses(findings)
    if batch_size is not None:
        swept = batch_sizes(losses, arms)
        if not swept:
            raise NoBatchSizeError("batch size: the study has no axis of this name")
        if not any(math.isclose(batch_size, value) for value in swept):
            near = nearest(swept, batch_size)
            values = listing([number(value) for value in near])
            reason = f"batch size {number(batch_size)} was not swept; the nearest that were: {values}"
            beside = tuple(recommend_from(findings, batch_size=value, tuned=tuned) for value in near)
            return replace(answer, reason=reason, nearest=beside)
    names = {loss: findings.whole_name(loss) for loss in losses}
    unfair = {loss: reason for loss, reason in withheld(findings.tried).items() if loss in losses}
    fair = {loss: cells for loss, cells in losses.items() if loss not in unfair}
    told = [f"{names[loss]} ({reason})" for loss, reason in unfair.items()]
    kept, chosen_arms = at_batch_size(fair, arms, batch_size)
    absent = [names[loss] for loss in fair if loss not in kept]
    if reason := _withheld(findings):
        return replace(answer, reason=reason)
    if unfair and len(kept) < 2:
        return replace(answer, reason=f"failed checks: {listing(told)}")
    if not kept:
        return replace(
            answer, reason="no loss ran at this batch size, other than those that repeat another loss"
        )
    if not len(common_seeds(kept)):
        return replace(answer, reason="the losses have no seed in common, so no seed compares them")
    error = info.look.error if info.look is not None else FIRST
    found = recommend_loss(kept, tuned=tuned, error=error or FIRST)
    settings = {
        each.loss: _setting(kept[each.loss][each.variant], chosen_arms[each.loss][each.variant], each.cell)
        for each in found.candidates
    }
    late = "" if error else "this look comes after the last one for which error is left"
    notes = [
        f"Not compared, since a check failed: {listing(told)}." if told else "",
        *_check_notes(findings, unfair),
        _edge_note(found.chosen, kept, chosen_arms, batch_size) if tuned and not info.drawn else "",
        _failure_note(kept, names, Scale(info.metric)),
        f"Not run at this batch size: {listing(absent)}." if absent else "",
        _repeated_note(findings, losses),
        info.look_note,
    ]
    return replace(
        answer,
        reason=found.reason or late,
        found=found,
        settings=settings,
        names=names,
        notes=tuple(filter(None, notes)),
    )


def answer_lines(answer: Answer) -> list[str]:
    """The answer in at most ten lines for a terminal."""
    found, scale = answer.found, Scale(answer.info.metric)
    if found is None:
        opening = f"Cannot tell: {answer.reason}."
        beside = [
            f"At batch size {number(each.batch_size or 0)}: {answer_lines(each)[0]}"
            for each in answer.nearest
        ]
        return [opening, *beside]
    rivals, chosen = found.rivals, found.chosen
    lines = [_headline(answer), *_worth(answer)]
    if answer.notes:
        lines.append(" ".join(answer.notes))
    if answer.reason:
        return lines
    worse = [each for each in found.candidates if not each.may_be_best and each is not chosen]
    room = min(_MOST_RIVALS, _MOST_LINES - len(lines) - bool(worse) - 1)  # one line is for other rivals
    for each in rivals[:room]:
        cost = scale.size(each.regret.high)
        lines.append(
            f"{_named(answer, each)}: {scale.with_unit(each.score)}; costs at most {cost} {_points(answer)}."
        )
    if more := rivals[room:]:
        most = scale.size(max(each.regret.high for each in more))
        named = listing([_name(answer, each) for each in more])
        lines.append(f"Also not excluded: {named}; they cost at most {most} {_points(answer)}.")
    if worse:
        lines.append(f"Shown not to be the best: {listing([_name(answer, each) for each in worse])}.")
    return lines


def answer_data(answer: Answer) -> dict[str, Any]:
    """The answer for `--json`: scores in the shown unit, differences in points of it, settings by column."""
    metric, found = answer.info.metric, answer.found
    told: dict[str, Any] = {
        "study": answer.info.name,
        "data": answer.info.data,
        "batch_size": answer.batch_size,
        "tuned": answer.tuned,
        "verdict": answer.verdict,
        "reason": answer.reason,
        "metric": metric.reporting_column,
        "unit": metric.unit,
        "tolerance": metric.factor * answer.info.tolerance,
        "notes": list(answer.notes),
    }
    if answer.nearest:
        told["nearest"] = [answer_data(each) for each in answer.nearest]
    if found is None:
        return told
    return told | {
        "loss": found.chosen.loss,
        "setting": dict(answer.settings[found.chosen.loss]),
        "score": _shown(found.score, answer, is_score=True),
        "regret": _shown(found.regret, answer),
        "seeds": found.seeds,
        "level": 1 - found.error,
        "losses": [
            {
                "loss": each.loss,
                "setting": dict(answer.settings[each.loss]),
                "score": metric.shown(each.score),
                "costs_at_most": metric.factor * each.regret.high,
                "may_be_best": each.may_be_best,
                "agreeing_seeds": each.agreeing,
                **({"gain_of_tuning": _shown(each.gain, answer)} if each.gain else {}),
            }
            for each in found.candidates
        ],
    }


def recommendation_table(answer: Answer) -> pd.DataFrame:
    """One row for each candidate in raw scores, the chosen one first; a row with only the reason if there is none."""
    found = answer.found
    if found is None:
        return pd.DataFrame([{"verdict": answer.verdict, "reason": answer.reason}])
    rows = [
        {
            "loss": each.loss,
            **{name.removeprefix("hp_"): value for name, value in answer.settings[each.loss].items()},
            "score": each.score,
            "costs_at_most": each.regret.high,
            "may_be_best": each.may_be_best,
            "verdict": answer.verdict if each is found.chosen else "",
            "reason": answer.reason,
        }
        for each in found.candidates
    ]
    return pd.DataFrame(rows)


def _shown(estimate: Estimate, answer: Answer, *, is_score: bool = False) -> dict[str, Any]:
    """The value and the ends of an interval as readers see them; None without an interval."""
    metric = answer.info.metric
    values = [estimate.value, estimate.low, estimate.high]
    value, *ends = [metric.shown(x) if is_score else metric.factor * x for x in values]
    low, high = sorted(ends) if estimate.has_interval else (None, None)
    return {"value": value, "low": low, "high": high}


def _headline(answer: Answer) -> str:
    found = answer.found
    assert found is not None
    chosen = _named(answer, found.chosen)
    if answer.reason:
        return f"Cannot tell: {answer.reason}. So far, validation chooses {chosen}."
    use = "Use" if answer.tuned else "Without tuning, use"
    if len(found.candidates) == 1:
        return f"{use} {chosen}; the records have no other loss."
    if answer.verdict == CLEAR:
        return f"{use} {chosen}; every other loss is shown to be worse."
    if answer.verdict == WITHIN_TOLERANCE and found.regret.high == 0:
        return f"{use} {chosen}; no other loss is better, though some may be as good."
    if answer.verdict == WITHIN_TOLERANCE:
        scale = Scale(answer.info.metric)
        return (
            f"{use} {chosen}; no other loss is better by more than {scale.size(found.regret.high)} "
            f"{_points(answer)}, within the tolerance of {scale.size(answer.info.tolerance)}."
        )
    contenders = [each for each in found.candidates if each.may_be_best]
    if len(contenders) == 1:  # it is not the chosen one: that case is clear
        return (
            f"Cannot tell: validation chooses {chosen}, but test scores show that {_named(answer, contenders[0])} "
            "is better."
        )
    names = listing([_name(answer, each) for each in contenders])
    return (
        f"Cannot tell: {names} cannot be told apart with {counted(found.seeds, 'seed')}. A guess: {chosen}."
    )


def _worth(answer: Answer) -> list[str]:
    """The lines on the score and the regret of the choice."""
    found, scale = answer.found, Scale(answer.info.metric)
    assert found is not None
    score = opened(f"expected {answer.info.metric.reported}: {scale.with_interval(found.score)}")
    if answer.reason:
        return [f"{score}, on seeds that did not choose."] if math.isfinite(found.score.value) else []
    level = f"{100 * (1 - found.error):.3g} %"
    agree = (
        f"{found.chosen.agreeing} of {found.seeds} seeds alone choose this setting" if answer.tuned else ""
    )
    lines = [
        ". ".join(filter(None, [f"{score} ({level}, over seeds; seeds that chose do not score)", agree]))
        + "."
    ]
    if found.regret.has_interval:
        ends = scale.size_interval(found.regret)  # empty for an interval of width 0
        lines.append(
            f"Expected regret against the best of {len(found.candidates)} losses: "
            f"{f'{scale.size(found.regret.value)} {_points(answer)} {ends}'.rstrip()} (all losses at once)."
        )
    if found.chosen.gain is not None and found.chosen.gain.has_interval:
        gain = found.chosen.gain
        change = f"{scale.gap(gain.value)} {_points(answer)} {scale.gap_interval(gain)}".rstrip()
        lines.append(f"Tuning it would change this by {change}.")
    return lines


def _points(answer: Answer) -> str:
    return answer.info.metric.difference_unit


def _name(answer: Answer, candidate: Candidate) -> str:
    return answer.names[candidate.loss]


def _named(answer: Answer, candidate: Candidate) -> str:
    """The loss with its setting, as in `DHEL (temperature 0.3, batch size 64)`."""
    info, setting = answer.info, answer.settings[candidate.loss]
    arm = next(arm for arm in info.arms if arm.whole_label == candidate.loss)
    told = [f"{arm.axis(name).words} {_value(value)}" for name, value in setting.items()]
    return f"{_name(answer, candidate)} with {', '.join(told)}" if told else _name(answer, candidate)


def _value(value: Value) -> str:
    return number(value) if isinstance(value, (float, str)) else visible(str(value))


def _losses(findings: StudyAnalysis) -> tuple[dict[str, list[Cells]], dict[str, list[ArmInfo]]]:
    """The variants of every loss, without the losses of null controls, which repeat another one."""
    info = findings.info
    repeated = _repeated(findings)
    cells: dict[str, list[Cells]] = {}
    arms: dict[str, list[ArmInfo]] = {}
    for arm in info.arms:
        if arm.whole_label not in repeated:
            cells.setdefault(arm.whole_label, []).append(findings.cells[arm.label])
            arms.setdefault(arm.whole_label, []).append(arm)
    return cells, arms


def _repeated(findings: StudyAnalysis) -> set[str]:
    """The losses that decisions leave out, because they repeat another loss."""
    info = findings.info
    return {info.arm(label).whole_label for label in info.repeats}


def _repeated_note(findings: StudyAnalysis, losses: Mapping[str, object]) -> str:
    names = [findings.whole_name(label) for label in sorted(_repeated(findings)) if label not in losses]
    return f"Left out, since they repeat another loss: {listing(names)}." if names else ""


def _withheld(findings: StudyAnalysis) -> str:
    """Why the study supports no recommendation, whatever its scores are; "" otherwise."""
    if not findings.info.ranks_losses:
        return "the study tests claims and does not compare losses"
    if findings.adaptive:
        return "an adaptive search chose the settings by the scores of all seeds, so no seed only scores"
    return ""


def _check_notes(findings: StudyAnalysis, unfair: Mapping[str, str]) -> list[str]:
    """A sentence for each failed check that takes no loss out, as the verdict has it."""
    return [
        failed_sentence(card)
        for card in check_fairness(findings)
        if card.level == FAIL and not unfair.keys() & set(card.losses)
    ]


def _setting(cells: Cells, arm: ArmInfo, cell: int) -> dict[str, Value]:
    """The value of every axis of a configuration, by column."""
    return {
        name: value for name, value in {**arm.fixed, **cells.place(cell)}.items() if name not in _STAND_INS
    }


def _edge_note(
    chosen: Candidate,
    losses: Mapping[str, Sequence[Cells]],
    arms: Mapping[str, Sequence[ArmInfo]],
    batch_size: float | None,
) -> str:
    """A sentence on the axes at whose ends the chosen setting lies."""
    cells, arm = losses[chosen.loss][chosen.variant], arms[chosen.loss][chosen.variant]
    asked = batch_axis(cells, arm) if batch_size is not None else ""
    ends = [
        axis.info.words
        for axis, code in zip(cells.axes, cells.codes[chosen.cell], strict=True)
        if axis.numeric and len(axis.values) > 1 and code in (0, len(axis.values) - 1) and axis.name != asked
    ]
    if not ends:
        return ""
    return f"The setting lies at the edge of the swept {listing(ends)}: a better one may lie beyond."


def _failure_note(losses: Mapping[str, Sequence[Cells]], names: Mapping[str, str], scale: Scale) -> str:
    counts = {
        loss: (
            sum(int(each.failed.sum()) for each in variants),
            sum(int(each.planned.sum()) for each in variants),
        )
        for loss, variants in losses.items()
    }
    told = [f"{names[loss]} {failed} of {planned}" for loss, (failed, planned) in counts.items() if failed]
    worst = scale.with_unit(scale.metric.worst_score)
    return f"Failed trials count as {worst}: {listing(told)}." if told else ""
