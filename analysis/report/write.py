"""Writes the report of a study: one page that opens offline, with its figures and tables in files beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.csv_text import csv_text
from analysis.data_sets import DataSetsAnalysis
from analysis.model.info import StudyInfo
from analysis.parquet import parquet_bytes
from analysis.report.latex import render_latex
from analysis.report.markdown_report import render_markdown
from analysis.report.page import render_claims, render_environments, render_page
from analysis.report.plots.draw import DrawnFigure, draw_figures
from analysis.report.sections.all_sections import build_parts, build_sections, on_one_page, placed
from analysis.report.sections.content import Content
from analysis.report.sections.laboratory.claims_page import claims_parts, claims_sentences
from analysis.report.verdict import Verdict, study_verdict
from analysis.report.verdict_data_sets import data_sets_verdict
from analysis.study_analysis import StudyAnalysis, analyse
from trainables.atomic import replace_file

#: Sections whose tables are also written as LaTeX.
_FOR_PAPERS = ("claims", "scores", "differences", "good_space", "tuning")


def write_report(planned: pd.DataFrame, records: pd.DataFrame, info: StudyInfo, out: Path) -> Path:
    """Writes the page `report.html` under `out`, with `report.md`, figures and tables, and returns the page's path.

    `planned` has one row for each planned trial (trial_id, config_id, arm, seed and `hp_*` columns). `records` has
    the latest valid record, of any status, of each trial that has one. The same rows give the same bytes. The page is
    written last and replaces an older one in one step. Raises `ValueError` where rows and `info` do not fit, before
    anything is written.
    """
    return write_findings(analyse(planned, records, info), out)


def write_findings(findings: StudyAnalysis, out: Path) -> Path:
    """`write_report` for an existing analysis."""
    verdict, sections = study_verdict(findings), build_sections(findings)
    figures = _draw(verdict, sections)
    page = render_page(findings, verdict, sections, figures)
    info = findings.info
    own: dict[str, Any] = {"loss": info.loss_words, "hidden": findings.hidden}
    text = render_markdown(info.name, info.description, verdict, sections, figures, **own)
    return _write(verdict, {"": sections}, figures, page, text, out)


def write_data_sets(environments: DataSetsAnalysis, out: Path) -> Path:
    """Writes one page for several data sets, with a folder of files for each. For one, it is `write_findings`."""
    if environments.only is not None:
        return write_findings(environments.only, out)
    parts = build_parts(environments)
    sections = on_one_page(environments, parts)
    verdict = data_sets_verdict(environments)
    figures = _draw(verdict, sections)
    page = render_environments(environments, verdict, sections, figures)
    info = environments.info
    own: dict[str, Any] = {"loss": info.loss_words, "hidden": environments.hidden}
    text = render_markdown(info.name, info.description, verdict, sections, figures, **own)
    return _write(verdict, parts, figures, page, text, out)


def write_claims(studies: Sequence[StudyAnalysis], out: Path) -> Path:
    """Writes one page on the claims of several studies: the result of each, and the figures that show it."""
    parts, verdict = claims_parts(studies), Verdict(answer=tuple(claims_sentences(studies)))
    sections = {
        f"{name}_{key}" if name else key: placed(content, name, name) if name else content
        for name, contents in parts.items()
        for key, content in contents.items()
    }
    figures = _draw(verdict, sections)
    text = render_markdown("Claims", "", verdict, sections, figures)
    return _write(verdict, parts, figures, render_claims(verdict, sections, figures), text, out)


def _draw(verdict: Verdict, sections: Mapping[str, Content]) -> dict[str, DrawnFigure]:
    found = {name: figure for content in sections.values() for name, figure in content.figures.items()}
    return draw_figures({**verdict.figures, **found})


def _write(
    verdict: Verdict,
    parts: Mapping[str, Mapping[str, Content]],
    figures: Mapping[str, DrawnFigure],
    page: str,
    text: str,
    out: Path,
) -> Path:
    """Writes all files, the page last; each part has a folder for its tables."""
    _write_figures(figures, out / "figures")
    if verdict.table is not None:
        _replace(out / "tables" / "verdict.tex", render_latex([verdict.table]))
    _write_frames(verdict.data, out / "tables")
    for folder, sections in parts.items():
        _write_tables(sections, out / "tables" / folder)
    _replace(out / "report.md", text)
    return _replace(out / "report.html", page)


def _replace(path: Path, content: str | bytes) -> Path:
    """Writes a file completely or not at all.

    A report can be generated again, so its many files need not wait for the disk.
    """
    return replace_file(path, content, durable=False)


def _write_figures(figures: Mapping[str, DrawnFigure], folder: Path) -> None:
    for name, figure in figures.items():
        _replace(folder / f"{name}.png", figure.png)
        _replace(folder / f"{name}.svg", figure.svg)
        _replace(folder / f"{name}.pdf", figure.pdf)


def _write_tables(sections: Mapping[str, Content], folder: Path) -> None:
    for name in _FOR_PAPERS:
        if name in sections and sections[name].tables:
            _replace(folder / f"{name}.tex", render_latex(sections[name].tables))
    for content in sections.values():
        _write_frames(content.data, folder)


def _write_frames(frames: Mapping[str, pd.DataFrame], folder: Path) -> None:
    for name, table in frames.items():
        _replace(folder / f"{name}.csv", csv_text(table))
        _replace(folder / f"{name}.parquet", parquet_bytes(table))
