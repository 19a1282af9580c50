"""The section on claims: the result of each claim in the study file."""

from collections.abc import Sequence

import pandas as pd

from analysis.model.claims import (
    CONFIRMED,
    NOT_COMPARABLE,
    OFF,
    OPEN,
    STATUS_WORDS,
    WITHIN_NOISE,
    ClaimResult,
)
from analysis.report.sections.content import TEXT, Cell, Content, ShownTable, table
from analysis.study_analysis import StudyAnalysis, judged_claims


def claims_section(findings: StudyAnalysis) -> Content | None:
    """Claims by result, and published numbers beside ours; None for a study without claims."""
    judged = judged_claims(findings)
    if not judged:
        return None
    return Content(
        title="Findings: the papers' claims",
        lead=" ".join(filter(None, (_statements_lead(judged), _numbers_lead(judged)))),
        tables=(claims_table(judged),),
        data={"claims": pd.DataFrame([told(item) for item in judged])},
    )


def _statements_lead(judged: Sequence[ClaimResult]) -> str:
    ends = [item.status for item in judged if item.claim.expected is None]
    if not ends:
        return ""
    return (
        f"{ends.count(CONFIRMED)} of {len(ends)} claims are confirmed. Each stands in the study file with what would "
        "confirm it; a trial that failed agrees with none. What is confirmed holds for the sizes, budgets and "
        "the optimiser of this study."
    )


def _numbers_lead(judged: Sequence[ClaimResult]) -> str:
    ends = [item.status for item in judged if item.claim.expected is not None]
    if not ends:
        return ""
    shown = [WITHIN_NOISE, OFF, NOT_COMPARABLE, *([OPEN] if OPEN in ends else [])]
    counts = [f"{STATUS_WORDS.get(end, end)}: {ends.count(end)}" for end in shown]
    return (
        f"Published numbers: {len(ends)}; {'; '.join(counts)}. "
        "Differences are ours minus the source, with 95 % intervals from the spread of our seeds and of the source's "
        "runs (Welch). Within seed noise: the interval contains 0. A wide interval says that few seeds tell little. "
        "Without a spread on both sides, or with a failed trial, the numbers do not compare."
    )


def claims_table(judged: Sequence[ClaimResult], *, title: str = "", figures: str = "") -> ShownTable:
    """One row for each claim; `figures` is the prefix of figure names on the page.

    The last column names the figures that show claims. It is left out where no claim has one.
    """
    with_figures = any(item.claim.figure for item in judged)
    names = ["Claim", "Finding", "Paper", _test_heading(judged), *(["Figure"] if with_figures else [])]
    rows = [_cells(item, figures)[: len(names)] for item in judged]
    return table([(name, TEXT) for name in names], rows, title=title)


def _test_heading(judged: Sequence[ClaimResult]) -> str:
    """The heading of the column with what decides: a test of a statement, or a published number."""
    numbers = [item.claim.expected is not None for item in judged]
    if all(numbers):
        return "Held against"
    return "Confirmed by, or held against" if any(numbers) else "Confirmed by"


def _cells(item: ClaimResult, figures: str) -> list[Cell | str]:
    figure = item.claim.figure
    return [
        item.claim.claim,
        Cell(text=item.finding, below=item.found),
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
        "expected": claim.expected,
        "spread": claim.spread,
        "runs": claim.runs,
        "not_comparable": item.reason or claim.not_comparable,
        "difference": item.gap.value if item.gap else None,
        "difference_low": item.gap.low if item.gap else None,
        "difference_high": item.gap.high if item.gap else None,
    }
