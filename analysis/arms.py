"""Arms that vary in more than two hyperparameters, cut into arms that span one surface each."""

import dataclasses

import pandas as pd

from analysis.info import ArmInfo, StudyInfo


def split_arms(table: pd.DataFrame, info: StudyInfo) -> tuple[pd.DataFrame, StudyInfo]:
    """Cut every arm with several trials a cell by its further varying `hp_*` columns.

    An arm `kcl` over `hp_gamma` becomes `kcl, gamma 4` and `kcl, gamma 16`. A reference is replaced by its
    first part, a null control by the pairs of its arms' parts that were cut alike. Arms with one trial a cell
    stay.
    """
    table = table.copy()
    parts: dict[str, dict[str, ArmInfo]] = {}
    for arm in info.arms:
        rows = table[table["arm"] == arm.label]
        extra = _extra_axes(rows, arm, info.x_axis)
        parts[arm.label] = {"": arm}
        if extra:
            suffixes = _suffixes(rows, extra)
            table.loc[rows.index, "arm"] = arm.label + suffixes
            parts[arm.label] = {text: _part(arm, text, rows[suffixes == text]) for text in suffixes.unique()}
    return table, _replaced(info, parts)


def _extra_axes(rows: pd.DataFrame, arm: ArmInfo, x_axis: str) -> list[str]:
    known = [name for name in (x_axis, arm.main_axis, "seed") if name in rows.columns]
    if not rows.duplicated(known).any():
        return []
    columns = [name for name in rows.columns if name.startswith("hp_") and name != "hp_other"]
    return [name for name in columns if name not in known and rows[name].nunique(dropna=False) > 1]


def _suffixes(rows: pd.DataFrame, extra: list[str]) -> pd.Series:
    """As `, gamma 4, kernel imq`, one a row; an empty value has no words."""
    texts = [_words(rows[name], name.removeprefix("hp_")) for name in extra]
    return sum(texts[1:], texts[0])


def _words(column: pd.Series, name: str) -> pd.Series:
    told = [
        "" if empty else f", {name} {value:g}" if isinstance(value, (int, float)) else f", {name} {value}"
        for value, empty in zip(column, column.isna(), strict=True)
    ]
    return pd.Series(told, index=column.index, dtype=object)


def _part(arm: ArmInfo, suffix: str, rows: pd.DataFrame) -> ArmInfo:
    part = dataclasses.replace(arm, label=arm.label + suffix, title=arm.name + suffix)
    if "hp_lr" in rows.columns and rows["hp_lr"].nunique() == 1 and ", lr " in suffix:
        part = dataclasses.replace(
            part, base_lr=float(rows["hp_lr"].iloc[0]), lr_source="an axis of this study", lr_tuned=True
        )
    column, measures = arm.case_measures
    if column in rows.columns and rows[column].nunique() == 1:
        own = measures.get(str(rows[column].iloc[0]), arm.measures[1])
        part = dataclasses.replace(part, measures=(arm.measures[0], own))
    return part


def _replaced(info: StudyInfo, parts: dict[str, dict[str, ArmInfo]]) -> StudyInfo:
    reference = next(iter(parts[info.reference_arm.label].values()))
    pairs = [
        (parts[a][suffix].label, parts[b][suffix].label)
        for a, b in info.null_controls
        if a in parts and b in parts
        for suffix in parts[a]
        if suffix in parts[b]
    ]
    arms = tuple(part for group in parts.values() for part in group.values())
    return dataclasses.replace(info, arms=arms, reference=reference.label, null_controls=tuple(pairs))
