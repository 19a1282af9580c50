"""A sentence on a null control: two arms that are the same method to the optimiser."""

from analysis.statistics.comparisons.null_control import DIFFERENT, NOT_COMPARABLE, NullControl
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, counted, listing, p_value


def null_control_sentence(findings: StudyAnalysis, control: NullControl) -> str:
    """How far apart two arms are that are the same method to the optimiser."""
    opening = f"{listing([findings.info.arm(label).name for label in control.arms])} are one method to the optimiser"
    if control.verdict == NOT_COMPARABLE:
        return f"{opening} but share no comparable trials, so this check is open."
    pairs = counted(control.one_failed, "pair")
    failed = f" In {pairs} of trials only one of the two failed." if control.one_failed else ""
    if control.identical == control.trials:
        return f"{opening}, and score the same in all {control.trials} pairs of trials.{failed}"
    scale, points = Scale(findings.info.metric), findings.info.metric.difference_unit
    distance = (
        "averaged over seeds, their configurations differ by up to "
        f"{scale.exact_size(control.largest_cell)} {points}; "
        f"single trials by {scale.exact_size(control.rms)} {points} in root mean square, where two seeds of one loss "
        f"differ by {scale.size(control.seed_noise)}"
    )
    return f"{opening}: {distance}. {_null_verdict(control)}{failed}"


def _null_verdict(control: NullControl) -> str:
    if control.verdict == DIFFERENT:
        p = p_value(control.p)
        return f"Their averages differ (p {p}), more than chance would have them: look for an error."
    if control.rms > control.seed_noise:
        return "Their averages do not differ beyond chance, but single trials differ more than seeds do."
    return "No difference beyond chance; gaps this small mean nothing."
