"""A recommendation in words, for a terminal."""

import math
from collections.abc import Sequence

from analysis.report.recommended import CLEAR, WITHIN_TOLERANCE, Answer
from analysis.statistics.comparisons.recommendation import Candidate, Recommendation
from analysis.wording import Scale, counted, listing, number, opened

#: The most rivals that have a line of their own, and the most lines of an answer.
_MOST_RIVALS, _MOST_LINES = 4, 10
#: The most losses that one sentence names.
_NAMED = 6


def answer_lines(answer: Answer) -> list[str]:
    """The answer in at most ten lines for a terminal."""
    found, scale = answer.found, Scale(answer.info.metric)
    if found is None:
        beside = [
            f"At batch size {number(each.batch_size or 0)}: {answer_lines(each)[0]}"
            for each in answer.nearest
        ]
        return [f"Cannot tell: {answer.reason}.", *beside]
    rivals, chosen = found.rivals, found.chosen
    lines = [_headline(answer, found), *_alike(answer, found), *_worth(answer, found)]
    if answer.notes:
        lines.append(" ".join(answer.notes))
    if answer.reason:
        return lines
    worse = [each for each in found.candidates if not each.may_be_best and each is not chosen]
    room = min(_MOST_RIVALS, _MOST_LINES - len(lines) - bool(worse) - 1)  # one line is for other rivals
    for each in rivals[:room]:
        lines.append(
            f"Or {_named(answer, each)}: {scale.with_unit(each.score)}; "
            f"costs at most {_bound(scale, each.regret.high)} {_points(answer)}."
        )
    if more := rivals[room:]:
        most = _bound(scale, max(each.regret.high for each in more))
        costs = "it costs" if len(more) == 1 else "they cost"
        lines.append(f"Also not excluded: {_names(answer, more)}; {costs} at most {most} {_points(answer)}.")
    if worse:
        lines.append(f"Shown not to be the best: {_names(answer, worse)}.")
    return lines


def _headline(answer: Answer, found: Recommendation) -> str:
    chosen, scale = _named(answer, found.chosen), Scale(answer.info.metric)
    if answer.reason:
        so_far = f" So far, {_choosing(answer)} {chosen}." if math.isfinite(found.chosen.validation) else ""
        return f"Cannot tell: {answer.reason}.{so_far}"
    use = "Use" if answer.tuned else "Without tuning, use"
    if len(found.candidates) == 1:
        return f"{use} {chosen}; no other loss is compared."
    if answer.verdict == CLEAR:
        return f"{use} {chosen}; every other loss is shown to be worse."
    if answer.verdict == WITHIN_TOLERANCE and found.regret.high == 0:
        return f"{use} {chosen}; no other loss is better, though some may be as good."
    if answer.verdict == WITHIN_TOLERANCE:
        return (
            f"{use} {chosen}; no other loss is better by more than {_bound(scale, found.regret.high)} "
            f"{_points(answer)}, within the tolerance of {scale.size(answer.info.tolerance)}."
        )
    contenders = [each for each in found.candidates if each.may_be_best]
    if len(contenders) == 1:  # it is not the chosen one: that case is clear
        shows = f"{answer.info.metric.reported}{'' if _by_validation(answer) else ' on other seeds'}"
        return (
            f"Cannot tell: {_choosing(answer)} {chosen}, but {shows} shows that {_named(answer, contenders[0])} is "
            "better."
        )
    every = "the " if len(contenders) == len(found.candidates) else ""
    few = len(contenders) <= _NAMED
    names = _names(answer, contenders) if few else f"{every}{len(contenders)} losses"
    return f"Cannot tell: {names} cannot be told apart with {found.seeds} seeds. A guess: {chosen}."


def _alike(answer: Answer, found: Recommendation) -> list[str]:
    """A line on losses that are equal within the tolerance, and on those shown to be more robust than others."""
    metric, close = answer.info.metric, []
    if not answer.reason and answer.verdict != CLEAR:
        open_ = [each for each in found.candidates if each.may_be_best]
        close = [each for each in open_ if each.regret.high <= answer.info.tolerance]
    told = []
    if len(close) > 1:
        told.append(f"{_names(answer, close)} are equal in expected {metric.reported} within the tolerance")
    others: dict[str, list[str]] = {}
    for loss, other in answer.more_robust:
        others.setdefault(other, []).append(loss)
    for other, losses in others.items():
        better = [each for each in found.candidates if each.loss in losses]
        is_ = "is" if len(better) == 1 else "are"
        told.append(f"{_names(answer, better)} {is_} shown to be more robust than {answer.names[other]}")
    where = "over all batch sizes; see the report" if answer.batch_size is not None else "see the report"
    ending = f" ({where})" if others else ""
    return [f"{'; '.join(told)}{ending}."] if told else []


def _worth(answer: Answer, found: Recommendation) -> list[str]:
    """The lines on the score and the regret of the choice, and why it is the choice."""
    metric, scale = answer.info.metric, Scale(answer.info.metric)
    less = "" if metric.higher_is_better else " (less is better)"
    chooses = _chosen_by_one_seed(answer, found)
    score = opened(f"expected {metric.reported}{less}{chooses}: {scale.with_interval(found.score)}")
    own = scale.with_unit(found.chosen.score)
    alone = (
        f" {answer.names[found.chosen.loss]} alone: {own}."
        if own != scale.with_unit(found.score.value)
        else ""
    )
    if answer.reason:
        told = f"{score}, on seeds that did not choose.{alone}" if math.isfinite(found.score.value) else ""
        alike = _beside(answer, found) if found.equals else ""
        return list(filter(None, [f"{told}{alike}".strip()]))
    level = f"{100 * (1 - found.error):.3g} %"
    level = f"{level}, over seeds; " if found.score.has_interval else ""
    lines = [f"{score} ({level}seeds that chose do not score).{alone}", _why(answer, found)]
    if found.regret.has_interval:
        ends = ""
        if found.regret.high > 0:
            low = scale.size(found.regret.low)
            ends = f" [{low}, {_bound(scale, found.regret.high)}]"
        lines.append(
            f"Expected regret against the best of {len(found.candidates)} losses: "
            f"{scale.size(found.regret.value)} {_points(answer)}{ends} (all losses at once)."
        )
    gain = found.chosen.gain
    if gain is not None and gain.has_interval:
        change = f"{scale.gap(gain.value)} {_points(answer)} {scale.gap_interval(gain)}".rstrip()
        lines.append(f"Expected gain from tuning it: {change}; plus is better.")
    return lines


def _why(answer: Answer, found: Recommendation) -> str:
    """What chose the loss and its setting, and whether another loss is equal or has a better test score."""
    metric = answer.info.metric
    if metric.selecting_apart:
        by = f"The loss is chosen by {metric.reported} on seeds that do not score it"
        by += ", and its setting by validation" if answer.tuned else ""
    else:
        each = "" if found.paired else " a loss"
        by = f"{opened(_chooser(answer))} on {counted(found.seeds, 'seed')}{each} chooses"
        by += " loss and setting" if answer.tuned else " the loss"
    agree = f"; {_agreeing(found.chosen.agreeing, found.seeds)} this setting" if answer.tuned else ""
    return f"{by}{agree}.{_beside(answer, found)}"


def _beside(answer: Answer, found: Recommendation) -> str:
    """A sentence on losses that are equal to the chosen one, or on the one with the best test score; else empty."""
    metric, chosen = answer.info.metric, found.chosen
    name, scale = answer.names[chosen.loss], Scale(metric)
    if found.equals:
        same = all(math.isclose(each.score, chosen.score, abs_tol=1e-12) for each in found.equals)
        equal = [_chooser(answer) + ("" if _by_validation(answer) else " of the seeds that choose")]
        what = listing([*equal, f"expected {metric.reported}"] if same else equal)
        alike = f"{_names(answer, (chosen, *found.equals))} are equal in {what}"
        return f" {alike}: {name} is named because it comes first in the study."
    if found.higher is None:
        return ""
    better = f"has a {'higher' if metric.higher_is_better else 'lower'} {metric.reported}"
    by = f", by {_bound(scale, found.higher.score - chosen.score)} {_points(answer)}"
    told = (
        f"{by}; test scores do not choose" if _by_validation(answer) else f" on seeds that do not choose{by}"
    )
    return f" {answer.names[found.higher.loss]} {better}{told}."


def _chosen_by_one_seed(answer: Answer, found: Recommendation) -> str:
    """What one seed chooses anew before other seeds score, as in ` if one seed chooses loss and setting`."""
    what = ["loss"] if found.paired and len(found.candidates) > 1 else []
    what += ["setting"] if answer.tuned else []
    article = "the " if len(what) == 1 else ""
    return f" if one seed chooses {article}{listing(what)}" if what else ""


def _agreeing(count: int, seeds: int) -> str:
    if count == 0:
        return "no seed alone chooses"
    if count == seeds:
        return "each seed alone chooses"
    return f"{count} of {seeds} seeds alone {'chooses' if count == 1 else 'choose'}"


def _by_validation(answer: Answer) -> bool:
    """Whether validation chooses the loss. A quantity such as a validation loss chooses settings only."""
    return answer.info.metric.held_out and not answer.info.metric.selecting_apart


def _chooser(answer: Answer) -> str:
    """What chooses the loss: validation, or else the reported metric of the seeds that choose."""
    return "validation" if _by_validation(answer) else answer.info.metric.reported


def _choosing(answer: Answer) -> str:
    """What chooses the loss and its setting, before both."""
    both = answer.tuned and answer.info.metric.selecting_apart
    return f"{_chooser(answer)} chooses{' the loss and validation its setting:' if both else ''}"


def _points(answer: Answer) -> str:
    return answer.info.metric.difference_unit


def _bound(scale: Scale, size: float) -> str:
    """The upper bound of a cost. One that is not 0 is not written as 0."""
    text, digits = scale.size(size), scale.metric.digits
    return text if text.strip("0.") or not size else f"{10.0**-digits:.{digits}f}"


def _names(answer: Answer, candidates: Sequence[Candidate]) -> str:
    """The names of losses; of many the first ones and the number of the others."""
    names = [answer.names[each.loss] for each in candidates]
    if len(names) <= _NAMED:
        return listing(names)
    return f"{', '.join(names[: _NAMED - 2])} and {len(names) - _NAMED + 2} more losses"


def _named(answer: Answer, candidate: Candidate) -> str:
    """The loss with its setting, as in `DHEL with batch size 64, temperature 0.3`."""
    name, words = answer.names[candidate.loss], answer.setting_words[candidate.loss]
    return f"{name} with {words}" if words else name
