"""Several studies in one report: as arms of one space on the same data, otherwise as data sets side by side."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.data_sets import DataSetsAnalysis
from analysis.fairness.studies import STUDY
from analysis.model.info import ArmInfo, SettingInfo, StudyInfo
from analysis.model.metric import Metric
from analysis.statistics.comparisons.looks import Look
from analysis.study_analysis import analyse_table
from analysis.wording import listing

#: The column with the names of data sets.
DATA = "data"

#: What metrics must agree in for their values to be compared.
_READING = (
    "selecting_column",
    "reporting_column",
    "higher_is_better",
    "chooses_highest",
    "factor",
    "selecting_scale",
)


@dataclass(frozen=True, kw_only=True)
class ComparedStudy:
    """One study with a row for each planned trial. Column `data` names the data set in all rows or in none."""

    name: str  # unique among those compared
    table: pd.DataFrame
    info: StudyInfo


def arm_label(label: str, study: str) -> str:
    """The label of a study's arm next to arms of other studies."""
    return f"{label} ({study})"


def compare_studies(studies: Sequence[ComparedStudy]) -> DataSetsAnalysis:
    """The analysis by data set, over the studies that ran on it. Where several did, arm names include the study.

    A trial that two studies share is in the arms of both. Raises `ValueError` for fewer than two studies, for metrics
    with different columns or readings, and for a study without a data set's name where others have several.
    """
    if len(studies) < 2:
        raise ValueError(f"studies: got {len(studies)}; at least two are needed")
    _check_metrics(studies)
    names = _data_names(studies)
    findings = {}
    for name in names:
        parts = [part for study in studies if (part := _on(study, name)) is not None]
        findings[name] = analyse_table(*_joined(parts, name))
    first = studies[0].info
    info = dataclasses.replace(
        first,
        name=" and ".join(study.name for study in studies),
        description="",
        metric=_joint_metric([study.info.metric for study in studies]),
        compared=_compared(studies),
    )
    return DataSetsAnalysis(info=info, findings=findings)


def _check_metrics(studies: Sequence[ComparedStudy]) -> None:
    first = studies[0]
    without = next((study for study in studies if study.info.metric.no_choice), None)
    chosen = next((study for study in studies if study.info.metric.held_out), None)
    if without and chosen:
        raise ValueError(
            f"metric: {without.name} has no validation scores, and {chosen.name} chooses by them; studies are "
            "compared in one metric"
        )
    for study in studies[1:]:
        for what in _READING:
            one, other = getattr(first.info.metric, what), getattr(study.info.metric, what)
            if one != other:
                hint = ", which --metric and --selects of `study import` name for a table"
                raise ValueError(
                    f"metric: {first.name} has {what.replace('_', ' ')} {one}, {study.name} has {other}; "
                    f"studies are compared in one metric{hint if _imported(studies) else ''}"
                )


def _imported(studies: Sequence[ComparedStudy]) -> bool:
    return any(study.info.imported for study in studies)


def _data_names(studies: Sequence[ComparedStudy]) -> list[str]:
    """The data sets of all studies in order; one empty name where no study names any."""
    named = [[str(name) for name in study.table["data"].dropna().unique()] for study in studies]
    silent = [study.name for study, found in zip(studies, named, strict=True) if not found]
    names = list(dict.fromkeys(name for found in named for name in found))
    if silent and len(names) > 1:
        hint = " by --data of `study import`" if _imported(studies) else ""
        raise ValueError(
            f"data: {silent[0]} names no data set, where others have {listing(names)}; name its column of data "
            f"sets{hint}"
        )
    return names or [""]


def _on(study: ComparedStudy, data: str) -> ComparedStudy | None:
    """The part of a study on one data set; None without rows there. A study that names no data set is on that one."""
    named = study.table["data"].notna().any()
    rows = study.table[study.table["data"] == data] if data and named else study.table
    if rows.empty:
        return None
    present = set(rows["arm"])
    arms = tuple(arm for arm in study.info.arms if arm.label in present)
    reference = study.info.reference if study.info.reference in present else ""
    info = study.info.with_arms(arms, reference=reference, settings=_settings_on(study.info.settings, data))
    table = rows.copy().assign(**{STUDY: study.name})  # the copy avoids a pandas warning on fragmented frames
    return dataclasses.replace(study, table=table, info=info)


def _settings_on(settings: Sequence[SettingInfo], data: str) -> tuple[SettingInfo, ...]:
    """The settings, where the name of the data set is this one. A table may have several data sets."""
    return tuple(
        dataclasses.replace(item, values={"": (data,)}) if data and item.column == DATA else item
        for item in settings
    )


def _joined(parts: Sequence[ComparedStudy], data: str) -> tuple[pd.DataFrame, StudyInfo]:
    """The rows of all parts, and one description. With several parts, arm names include the study."""
    marked = [_marked(part) for part in parts] if len(parts) > 1 else list(parts)
    infos = [part.info for part in marked]
    table = pd.concat([part.table for part in marked], ignore_index=True)
    # If one part does not cover the space, neither does the whole.
    adaptive = any(info.adaptive for info in infos)
    info = infos[0].with_arms(
        tuple(arm for info in infos for arm in info.arms),
        name=" and ".join(part.name for part in marked),
        metric=_joint_metric([info.metric for info in infos]),
        reference=infos[0].reference_arm.label,
        null_controls=tuple(pair for info in infos for pair in info.null_controls),
        seeds=tuple(sorted(table["seed"].unique().tolist())),
        drawn=adaptive or all(info.drawn for info in infos),
        adaptive=adaptive,
        describes=tuple(dict.fromkeys(name for info in infos for name in info.describes)),
        imported=any(info.imported for info in infos),
        claims=infos[0].claims if len(parts) == 1 else (),  # they are about one study
        compared=_compared(parts) if len(parts) > 1 else (),
        look=_joint_look(infos),
        description="",
        data=data or _told([info.data for info in infos]),
        encoder=_told([info.encoder for info in infos]),
        training=_told([info.training for info in infos]),
        spec_text="\n".join(
            f"# {part.name}\n{part.info.spec_text}" for part in marked if part.info.spec_text
        ),
    )
    return table, info


def _compared(studies: Sequence[ComparedStudy]) -> tuple[StudyInfo, ...]:
    """The descriptions of the studies, under their names in the comparison."""
    return tuple(dataclasses.replace(study.info, name=study.name) for study in studies)


def _marked(part: ComparedStudy) -> ComparedStudy:
    """A part whose arms have the study in label and name."""

    def mark(label: str) -> str:
        return arm_label(label, part.name)

    arms: list[ArmInfo] = [
        dataclasses.replace(arm, label=mark(arm.label), title=mark(arm.name)) for arm in part.info.arms
    ]
    info = part.info.with_arms(
        tuple(arms),
        reference=mark(part.info.reference_arm.label),
        null_controls=tuple((mark(a), mark(b)) for a, b in part.info.null_controls),
    )
    return dataclasses.replace(part, table=part.table.assign(arm=part.table["arm"].map(mark)), info=info)


def _joint_metric(metrics: Sequence[Metric]) -> Metric:
    """The metric with bounds that contain those of all, and the worst value of any, with its source."""
    lowest = min(metrics, key=lambda metric: metric.worst_score)
    sign = metrics[0].selecting_sign
    worst_selecting = min(
        (metric.worst_selecting_value for metric in metrics), key=lambda value: sign * value
    )
    bounds = (min(metric.bounds[0] for metric in metrics), max(metric.bounds[1] for metric in metrics))
    return dataclasses.replace(
        metrics[0],
        no_choice=next((metric.no_choice for metric in metrics if metric.no_choice), ""),
        worst=lowest.worst,
        worst_source=lowest.worst_source,
        worst_guess=lowest.worst_guess,
        worst_selecting=worst_selecting,
        bounds=bounds,
    )


def _joint_look(infos: Sequence[StudyInfo]) -> Look | None:
    """The earliest first look of the studies, and the most seeds."""
    looks = [info.look for info in infos if info.look is not None]
    if not looks:
        return None
    return Look(first=min(look.first for look in looks), seeds=max(look.seeds for look in looks))


def _told(texts: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))
