"""Names of arms in figures."""

from collections import Counter

from analysis.model.info import StudyInfo
from analysis.report.plots.figure_text import figure_names


def arm_names(info: StudyInfo) -> dict[str, str]:
    """The text in figures for each arm, by label; different names have different texts."""
    count = Counter(arm.name for arm in info.arms)
    full = {arm.label: f"{arm.name} ({arm.label})" if count[arm.name] > 1 else arm.name for arm in info.arms}
    names = figure_names(full.values())
    return {label: names[name] for label, name in full.items()}
