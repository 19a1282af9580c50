"""The section of comparisons of losses with the reference."""

from analysis.report.score_tables import comparisons_table
from analysis.report.sections.content import TEXT, Cell, Content, gap_cell, table
from analysis.statistics.comparisons.compare import Comparison
from analysis.statistics.comparisons.power import POWER
from analysis.study_analysis import StudyAnalysis
from analysis.wording import SCORE_WORDS, Scale, p_value


def comparisons_section(findings: StudyAnalysis) -> Content:
    """Every loss minus the reference in each score, paired by seed."""
    title = f"Comparisons with {findings.info.reference_arm.name}"
    data = {"comparisons": comparisons_table(findings)}
    if not findings.comparisons:
        return Content(title=title, lead="There is one loss only, so nothing to compare.", data=data)
    unit = findings.info.metric.difference_unit
    columns = [
        ("Loss", TEXT),
        ("Score", TEXT),
        f"Difference, {unit}",
        "p (Holm)",
        f"Detectable, {unit}",
        ("Verdict", TEXT),
    ]
    return Content(
        title=title,
        lead=f"Each loss minus {findings.info.reference_arm.name}, in {unit}, seed by seed: positive means "
        "better. The verdict uses the p-value after Holm's correction for all "
        f"{len(findings.comparisons)} comparisons; the interval below each difference is uncorrected, "
        "so it may leave out 0 where the verdict is undecided. “Detectable” is the smallest true "
        "difference that a study with this many seeds and this much noise finds with "
        f"{100 * POWER:.0f} % probability: a smaller one may exist unseen.",
        tables=(table(columns, [_row(findings, item) for item in findings.comparisons]),),
        data=data,
    )


def _row(findings: StudyAnalysis, item: Comparison) -> list[Cell | str]:
    scale = Scale(findings.info.metric)
    return [
        findings.info.arm(item.arm).name,
        SCORE_WORDS[item.score],
        gap_cell(item.difference, scale),
        Cell(text=p_value(item.p_holm), sort=item.p_holm),
        Cell(text=scale.size(item.detectable), sort=item.detectable),
        item.verdict,
    ]
