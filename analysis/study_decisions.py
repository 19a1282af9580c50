"""What a study compares: its whole losses, or the tuned scores of an adaptive search."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from analysis.model.info import StudyInfo
from analysis.model.variants import Variant
from analysis.statistics.comparisons.compare import Comparison, compare_arms
from analysis.statistics.comparisons.decisions import WITHHELD, Decisions
from analysis.statistics.comparisons.drawn_decisions import decide_drawn
from analysis.statistics.comparisons.grid_decisions import decide
from analysis.statistics.comparisons.simultaneous import MISSING_TRIALS
from analysis.statistics.scores.drawn import DrawnScores
from analysis.statistics.scores.robustness import RobustnessSummary

#: Largest numbers of losses, and of their variants together, for which a report compares losses.
MOST_LOSSES, MOST_VARIANTS = 40, 96


def ranks_losses(info: StudyInfo, variants: Mapping[str, Sequence[Variant]]) -> bool:
    """Whether losses are compared: the study intends it, and there are not too many of them or of their variants.

    The parts over two axes that figures draw do not count, so which axes are drawn changes no decision.
    """
    few = len(variants) <= MOST_LOSSES and sum(map(len, variants.values())) <= MOST_VARIANTS
    return info.ranks_losses and few


def tuned_comparisons(
    summaries: Mapping[str, RobustnessSummary], info: StudyInfo, reasons: Mapping[str, str]
) -> tuple[Comparison, ...]:
    """The tuned scores of an adaptive search, each against the reference's."""
    compared = [item for label, item in summaries.items() if label not in info.repeats]
    apart = {arm.label for arm in info.arms if arm.whole_label in reasons}
    return tuple(
        replace(item, verdict=WITHHELD) if item.arm in apart else item
        for item in compare_arms(compared, info.reference_arm.label, span=info.metric.span)
    )


def study_decisions(
    variants: Mapping[str, Sequence[Variant]],
    drawn: Mapping[str, DrawnScores],
    info: StudyInfo,
    reasons: Mapping[str, str],
    titles: Mapping[str, str],
) -> Decisions | None:
    """The decisions on whole losses, `reasons` being those for which some are withheld; None without a comparison.

    `titles` names the losses for readers. An arm of drawn places is never split, so it is a whole loss. A loss whose
    trials all failed has no values: its scores would be those of the worst outcome.
    """
    if info.adaptive or not ranks_losses(info, variants):
        return None
    losses = {label: [variant.cells for variant in each] for label, each in variants.items()}
    whole = {arm.label: arm.whole_label for arm in info.arms}
    reference = whole[info.reference_arm.label]
    left_out = {whole[label] for label in info.repeats}
    # a look at some of the trials would need a share of the error of its own
    lacking = {loss for loss, each in losses.items() if any(item.missing.any() for item in each)}
    waiting = losses if reference in lacking else lacking
    failed = {loss for loss, each in losses.items() if not any(item.finished.any() for item in each)}
    told = {loss: f"all trials of {titles[loss]} failed" for loss in failed}
    reasons = {
        **reasons,
        **dict.fromkeys(waiting, MISSING_TRIALS),
        **(dict.fromkeys(losses, told[reference]) if reference in failed else told),
    }
    decided = partial(decide_drawn, drawn) if info.draws else partial(decide, losses)
    decisions = decided(
        reference,
        tolerance=info.tolerance,
        span=info.metric.span,
        look=info.look,
        left_out=tuple(sorted(left_out)),
        withheld=reasons,
    )
    if reason := info.metric.no_choice:
        varied = {loss for loss, each in losses.items() if len(each) > 1}
        decisions = decisions.without_choices(reason, varied)
    return decisions.without_values(told) if told else decisions
