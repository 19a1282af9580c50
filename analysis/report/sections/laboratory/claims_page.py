"""One page on the claims of several studies: the results, and the figures that show them."""

from collections.abc import Sequence

import pandas as pd

from analysis.fairness.epochs import maxima_words
from analysis.model.claims import STATUSES
from analysis.report.sections.all_sections import build_sections
from analysis.report.sections.content import Content
from analysis.report.sections.laboratory.claims import claims_table, told
from analysis.study_analysis import StudyAnalysis, judged_claims
from analysis.wording import counted, listing


def claims_sentences(studies: Sequence[StudyAnalysis]) -> list[str]:
    """How many claims have each result, and which studies have scores that are maxima over epochs."""
    ends = [item.status for findings in studies for item in judged_claims(findings)]
    counts = [f"{ends.count(end)} {end}" for end in STATUSES if end in ends]
    noun = "study" if len(studies) == 1 else "studies"
    maxima = {findings.info.name: maxima_words(findings.tried) for findings in studies}
    return [
        f"{counted(len(ends), 'claim')} of {len(studies)} {noun}: {listing(counts)}.",
        *(f"{name}: {text}" for name, text in maxima.items() if text),
    ]


def claims_parts(studies: Sequence[StudyAnalysis]) -> dict[str, dict[str, Content]]:
    """The tables of all claims under "", and the figures that they name under the name of each study."""
    parts = {"": {"claims": _all_claims(studies)}}
    return parts | {findings.info.name: {"evidence": _evidence(findings)} for findings in studies}


def _all_claims(studies: Sequence[StudyAnalysis]) -> Content:
    judged = {findings.info.name: judged_claims(findings) for findings in studies}
    data = [{"study": name, **told(item)} for name, items in judged.items() for item in items]
    return Content(
        title="Claims",
        lead="Each claim stands in its study's file with what would confirm it, and holds for the sizes, budgets and "
        "the optimiser there. A trial that failed agrees with none.",
        tables=tuple(claims_table(items, title=name, figures=f"{name}/") for name, items in judged.items()),
        data={"claims": pd.DataFrame(data)},
    )


def _evidence(findings: StudyAnalysis) -> Content:
    named = {claim.figure for claim in findings.info.claims}
    sections = build_sections(findings).values()
    figures = {key: figure for part in sections for key, figure in part.figures.items() if key in named}
    files = {figure.data for figure in figures.values()}
    data = {key: frame for part in sections for key, frame in part.data.items() if key in files}
    return Content(title=findings.info.description or "Figures", figures=figures, data=data)
