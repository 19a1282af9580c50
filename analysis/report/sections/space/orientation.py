"""The sentence on the direction of main axes in figures."""

from analysis.model.meaning import LOWER_TEMPERATURE
from analysis.study_analysis import StudyAnalysis
from analysis.wording import listing


def orientation_words(findings: StudyAnalysis, direction: str = "upwards") -> str:
    """Which main axes fall so that temperature rises in every panel, with a space before; "" for none."""
    mains = [arm.main for arm in findings.info.arms]
    turned = dict.fromkeys(axis.words for axis in mains if axis.meaning.larger_acts_as == LOWER_TEMPERATURE)
    if not turned:
        return ""
    return (
        f" Temperature rises {direction} in every panel: a larger {listing(list(turned))} acts as a lower "
        f"temperature, so its values fall {direction}."
    )
