"""A sentence on a null control: two arms that are the same method to the optimiser."""

from analysis.model.cells import Cells
from analysis.statistics.comparisons.null_control import DIFFERENT, NOT_COMPARABLE, NullControl
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, counted, listing, number, p_value


def other_ground(findings: StudyAnalysis) -> dict[str, str]:
    """Losses of null controls with other configurations than the loss that they repeat, and which ones these are.

    Their own values are no neighbours of the other losses' values: another average, and another best configuration.
    """
    left_out = findings.decisions.left_out if findings.decisions is not None else ()
    found: dict[str, str] = {}
    for pair in findings.info.null_controls:
        a, b = (findings.info.arm(label).whole_label for label in pair)
        for loss, other in ((a, b), (b, a)):
            if loss in left_out and (words := _ground_words(findings.wholes[loss], findings.wholes[other])):
                found.setdefault(loss, words)
    return found


def other_ground_sentences(findings: StudyAnalysis) -> list[str]:
    """That such a loss has no values in the table and the figure, and why."""
    return [
        f"{findings.whole_name(loss)} has other configurations ({words}) than the losses that are compared, so the "
        "verdict shows no values of it."
        for loss, words in other_ground(findings).items()
    ]


def _ground_words(own: Cells, other: Cells) -> str:
    """How the configurations of one loss differ from those of another one; empty where they are the same."""
    places = [
        {tuple(cells.place(cell).items()) for cell in range(len(cells.codes))} for cells in (own, other)
    ]
    if places[0] == places[1]:
        return ""
    known = {axis.name: set(axis.values.tolist()) for axis in other.axes}
    differing = [axis for axis in own.axes if set(axis.values.tolist()) != known.get(axis.name)]
    told = [f"{axis.info.words} {_values(axis.values.tolist())}" for axis in differing]
    return listing(told) or counted(len(places[0]), "configuration")


def _values(values: list) -> str:
    return number(values[0]) if len(values) == 1 else f"{number(values[0])} to {number(values[-1])}"


def null_control_sentence(findings: StudyAnalysis, control: NullControl) -> str:
    """How far apart two arms are that are the same method to the optimiser."""
    names = listing([findings.info.arm(label).name for label in control.arms])
    opening = f"{names} are the same method to the optimiser"
    if control.verdict == NOT_COMPARABLE:
        return f"{opening} but share no comparable trials, so this check is open."
    pairs = counted(control.one_failed, "pair")
    failed = f" In {pairs} of trials only one of the two failed." if control.one_failed else ""
    if control.identical == control.trials:
        return f"{opening}; their scores are equal in all {control.trials} pairs of trials.{failed}"
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
