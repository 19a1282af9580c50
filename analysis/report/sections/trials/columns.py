"""The section on the columns of an imported table: what each was taken for."""

from analysis.report.sections.content import TEXT, Content, table
from analysis.study_analysis import StudyAnalysis


def columns_section(findings: StudyAnalysis) -> Content | None:
    """The meaning of every column; None for a study that is no imported table."""
    columns = findings.info.columns
    if not columns:
        return None
    rows = [(", ".join(each.columns), each.role, each.detail) for each in columns]
    titles = [("Column", TEXT), ("Taken as", TEXT), ("Why, and what it holds", TEXT)]
    return Content(
        title="Columns of the table",
        lead="What was named by an option counts first, then usual names and the design that the rows show. The "
        "options of the command change each of these decisions.",
        tables=(table(titles, rows),),
        folded=True,
    )
