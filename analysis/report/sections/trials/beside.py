"""The section on a loss that was trained here beside rows that came with a study, and what the first screen says."""

import math

import pandas as pd

from analysis.beside import RUN_COLUMNS, Beside, Repeats, repeats
from analysis.redact import redact_paths
from analysis.report.sections.content import TEXT, Content, table
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, counted, values_with_counts


def beside_section(findings: StudyAnalysis) -> Content | None:
    """What differs between the shipped rows and the rows trained here; None if all were trained here."""
    beside = findings.beside
    if beside is None:
        return None
    scale, unit = Scale(findings.info.metric), findings.info.metric.difference_unit
    came = _came(findings, beside)
    score = findings.info.metric.reporting_column
    found = {
        str(label): repeats(rows, came[came["arm"] == label], score)
        for label, rows in beside.repeated.groupby("arm", sort=False)
    }
    columns = [
        ("Loss", TEXT),
        "Trials that ran again",
        "Failed here",
        f"Mean difference, {unit}",
        f"Largest difference, {unit}",
        f"Seed noise, {unit}",
    ]
    return Content(
        title="Shipped rows and rows trained here",
        lead="Shipped rows are those that came with the study. A difference is the score of a trial trained here "
        "less its score in the shipped rows. Seed noise is the standard deviation between the seeds of one "
        "configuration in the shipped rows, pooled over the configurations of the loss. A difference far above it is "
        "one of hardware, versions or data.",
        sentences=(
            f"Base learning rate of {findings.whole_name(beside.label)}: {beside.rate}.",
            *(f"Different settings: {redact_paths(text)}." for text in beside.settings),
        ),
        tables=(
            table(
                columns,
                [[findings.whole_name(label), *_cells(each, scale)] for label, each in found.items()],
            ),
            table(
                [("", TEXT), ("Shipped rows", TEXT), ("Rows trained here", TEXT)], _runs(came, beside.here)
            ),
        ),
        data={"repeated": beside.repeated},
    )


def beside_sentences(findings: StudyAnalysis) -> list[str]:
    """Which rows came with the study, whether their data are others, and how far repeated trials differ."""
    beside = findings.beside
    if beside is None:
        return []
    came = _came(findings, beside)
    name, trials = findings.whole_name(beside.label), counted(len(came), "trial")
    losses = came["arm"].nunique()
    others = "other loss" if losses == 1 else f"other {losses} losses"
    told = [f"Only {name} was trained here; the {trials} of the {others} came with the study."]
    if data := _other_data(came, beside.here):
        told.append(data)
    return [*told, _repeats_sentence(findings, beside, came)]


def _came(findings: StudyAnalysis, beside: Beside) -> pd.DataFrame:
    """The rows that came with the study, by uncut arm."""
    wholes = {arm.label: arm.whole_label for arm in findings.info.arms}
    rows = findings.table.assign(arm=findings.table["arm"].map(wholes))
    return rows[rows["arm"] != beside.label]


def _other_data(came: pd.DataFrame, here: pd.DataFrame) -> str:
    """That the data sets have different content; empty if not."""
    there, own = (set(rows["data_fingerprint"].dropna()) for rows in (came, here))
    if there == own or not there or not own:
        return ""
    names = [values_with_counts(rows["data"].map(redact_paths, na_action="ignore")) for rows in (came, here)]
    return (
        f"Different images: the shipped rows are on {names[0]}, the rows trained here on {names[1]}, whose content "
        "differs. So no difference between the loss trained here and the others is decided."
    )


def _repeats_sentence(findings: StudyAnalysis, beside: Beside, came: pd.DataFrame) -> str:
    if beside.repeated.empty:
        return (
            "None of these trials ran again here, so it is not measured how far hardware and versions matter."
        )
    scale, unit = Scale(findings.info.metric), findings.info.metric.difference_unit
    found = repeats(beside.repeated, came, findings.info.metric.reporting_column)
    failed = f", {found.failed} more failed here" if found.failed else ""
    if not found.count:
        return f"None of the {counted(found.failed, 'trial')} that ran again here has a score."
    noise = (
        f"; seeds of one configuration differ by {scale.size(found.noise)} (standard deviation)"
        if math.isfinite(found.noise)
        else ""
    )
    return (
        f"{found.count} of these trials ran again here{failed}: they differ by {scale.gap(found.mean)} {unit} on "
        f"average, at most {scale.size(found.largest)}{noise}."
    )


def _cells(found: Repeats, scale: Scale) -> list[str]:
    return [
        str(found.count),
        str(found.failed),
        scale.gap(found.mean),
        scale.size(found.largest),
        scale.size(found.noise),
    ]


def _runs(came: pd.DataFrame, here: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Machine, versions and data: those that differ first."""
    rows = []
    for column, name in RUN_COLUMNS.items():
        there, own = (
            redact_paths(values_with_counts(each[column])) or "not recorded" for each in (came, here)
        )
        rows.append((name, there, own))
    return sorted(rows, key=lambda row: row[1] == row[2])
