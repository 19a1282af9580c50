"""The section on claims: the result of each claim in the study file."""

from collections.abc import Sequence

import pandas as pd

from analysis.model.claims import CONFIRMED, ClaimResult
from analysis.report.sections.content import TEXT, Cell, Content, ShownTable, table
from analysis.study_analysis import StudyAnalysis, judged_claims


def claims_section(findings: StudyAnalysis) -> Content | None:
    """Claims by result: confirmed, not confirmed or not testable; None for a study without claims."""
    judged = judged_claims(findings)
    if not judged:
        return None
    confirmed = sum(item.status == CONFIRMED for item in judged)
    return Content(
        title="Findings: the papers' claims",
        lead=f"{confirmed} of {len(judged)} claims are confirmed. Each stands in the study file with what would "
        "confirm it; a trial that failed agrees with none. What is confirmed holds for the sizes, budgets and "
        "the optimiser of this study.",
        tables=(claims_table(judged),),
        data={"claims": pd.DataFrame([told(item) for item in judged])},
    )


def claims_table(judged: Sequence[ClaimResult], *, title: str = "", figures: str = "") -> ShownTable:
    """One row for each claim; `figures` is the prefix of figure names on the page."""
    columns = [(name, TEXT) for name in ("Claim", "Finding", "Paper", "Confirmed by", "Figure")]
    return table(columns, [_cells(item, figures) for item in judged], title=title)


def _cells(item: ClaimResult, figures: str) -> list[Cell | str]:
    figure = item.claim.figure
    return [
        item.claim.claim,
        Cell(text=item.status, below=item.found),
        item.claim.paper,
        item.claim.confirmed_by,
        Cell(text=figure, link=f"figure-{figures}{figure}" if figure else ""),
    ]


def told(item: ClaimResult) -> dict[str, object]:
    claim = item.claim
    return {
        "name": claim.name,
        "claim": claim.claim,
        "paper": claim.paper,
        "confirmed_by": claim.confirmed_by,
        "status": item.status,
        "found": item.found,
        "agreeing": item.agreeing,
        "trials": item.trials,
        "figure": claim.figure,
    }
