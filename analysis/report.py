"""The report of a study: one page that opens offline, with its figures and tables beside it."""

import os
import uuid
from pathlib import Path

import pandas as pd

from analysis.figures.draw import DrawnFigure, draw_figures
from analysis.findings import Findings, analyse
from analysis.info import StudyInfo
from analysis.page import render_page
from analysis.tables import TABLES


def write_report(planned: pd.DataFrame, records: pd.DataFrame, info: StudyInfo, out: Path) -> Path:
    """Write `report.html`, `figures/*.png|svg` and `tables/*.parquet|csv` under `out`; give the page's path.

    `planned` has a row a planned trial (trial_id, config_id, arm, seed and `hp_*` columns), `records` the
    latest valid record of each trial that has one, of any status. The same rows give the same bytes. The page
    replaces an older one in one step after all else is written. Raises `ValueError` where rows and `info` do
    not fit, before anything is written.
    """
    return write_findings(analyse(planned, records, info), out)


def write_findings(findings: Findings, out: Path) -> Path:
    """`write_report` for what is analysed already."""
    figures = draw_figures(findings)
    page = render_page(findings, figures)
    _write_figures(figures, out / "figures")
    _write_tables(findings, out / "tables")
    return write_atomically(out / "report.html", page.encode())


def write_atomically(path: Path, content: bytes) -> Path:
    """Write a file under a temporary name and move it into place, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _write_figures(figures: dict[str, DrawnFigure], folder: Path) -> None:
    for name, figure in figures.items():
        write_atomically(folder / f"{name}.png", figure.png)
        write_atomically(folder / f"{name}.svg", figure.svg)


def _write_tables(findings: Findings, folder: Path) -> None:
    for name, build in TABLES.items():
        table = build(findings)
        write_atomically(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n").encode())
        write_atomically(folder / f"{name}.parquet", table.to_parquet(index=False))
