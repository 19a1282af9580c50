"""The section on names that figures cannot show as they are: long ones, and characters without a font."""

from collections.abc import Iterable, Sequence

from analysis.data_sets import DataSetsAnalysis
from analysis.names import code, visible
from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.figure_text import figure_names
from analysis.report.plots.fonts import without_font
from analysis.report.sections.content import TEXT, Content, table
from analysis.study_analysis import StudyAnalysis
from analysis.wording import counted
from trainables.suggestion import first_names

_MOST = 12  # characters that are listed


def names_section(findings: StudyAnalysis) -> Content | None:
    """Names of losses, and what figures show instead; None where figures show all names as they are."""
    shown, info = arm_names(findings.info), findings.info
    return _content([(arm.name, shown[arm.label]) for arm in info.arms], _texts(findings))


def codes_sentences(findings: StudyAnalysis) -> list[str]:
    """That figures show codes, in one sentence; none where installed fonts have all characters."""
    names = [arm.name for arm in findings.info.arms]
    unknown = sorted(without_font("".join(map(visible, (*names, *_texts(findings))))))
    if not unknown:
        return []
    count, char = counted(len(unknown), "character"), unknown[0]
    text = f"Figures show codes such as {code(char)} for {count} of the names, such as {char}"
    return [f"{text}: no installed font has them. Install one, such as Noto Sans CJK, and report again."]


def _texts(findings: StudyAnalysis) -> list[str]:
    """The texts of figures beside names of losses: the metric, the axes and values that are words."""
    info = findings.info
    axes = {axis.axis_label for arm in info.arms for axis in arm.axes}
    values = {
        value
        for cells in findings.cells.values()
        for axis in cells.axes
        for value in axis.values.tolist()
        if isinstance(value, str)
    }
    return [info.metric.axis_label, *sorted(axes), *sorted(values)]


def data_names_section(environments: DataSetsAnalysis) -> Content | None:
    """The same for names of data sets."""
    return _content(list(figure_names(environments.findings).items()), ())


def _content(names: Sequence[tuple[str, str]], texts: Iterable[str]) -> Content | None:
    unknown = sorted(without_font("".join(map(visible, (*(name for name, _ in names), *texts)))))
    changed = [[short, visible(name)] for name, short in names if short != visible(name)]
    if not unknown and not changed:
        return None
    lead = (
        f"No installed font has {counted(len(unknown), 'character')} of the names; figures show codes: "
        f"{first_names([f'{char} {code(char)}' for char in unknown], _MOST)}."
    )
    columns = [("In figures", TEXT), ("Name", TEXT)]
    return Content(
        title="Names in figures",
        lead=lead if unknown else "",
        tables=(table(columns, changed),) if changed else (),
    )
