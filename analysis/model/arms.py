"""Splits arms that vary in more than two hyperparameters into arms with one surface each."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.model.axis_values import category, value_order
from analysis.model.info import ArmInfo, AxisInfo, StudyInfo, Value


def split_arms(table: pd.DataFrame, info: StudyInfo) -> tuple[pd.DataFrame, StudyInfo]:
    """Split every arm with several trials at one place of its two axes by its other varying `hp_*` columns.

    An arm `kcl` over `hp_gamma` becomes `kcl, gamma 4` and `kcl, gamma 16`, each over the x axis and the main axis.
    The first part of a reference arm becomes the reference. A null control becomes the pairs of parts with the same
    values. Arms of drawn places are not split: they keep all axes that vary in them.
    """
    table = table.copy()
    parts: dict[str, dict[str, ArmInfo]] = {}
    for arm in info.arms:
        rows = table[table["arm"] == arm.label]
        extra = _extra_axes(rows, arm)
        if info.drawn or not extra or not _crowded(rows, arm):
            axes = (*arm.axes[:2], *(arm.axis(name) for name in extra))
            parts[arm.label] = {"": dataclasses.replace(arm, axes=axes)}
            continue
        suffixes = _suffixes(rows, extra)
        table.loc[rows.index, "arm"] = arm.label + suffixes
        found = {text: _part(arm, text, rows[suffixes == text], extra) for text in suffixes.unique()}
        parts[arm.label] = _in_order(found) if info.imported else found
    return table, _replaced(info, parts)


def _in_order(parts: dict[str, ArmInfo]) -> dict[str, ArmInfo]:
    """Parts sorted by the values that distinguish them.

    Rows of a table have any order, and the first part of a reference arm becomes the reference.
    """

    def place(item: tuple[str, ArmInfo]) -> list[tuple[int, Any]]:
        return [value_order(value) for value in item[1].fixed.values()]

    return dict(sorted(parts.items(), key=place))


def _crowded(rows: pd.DataFrame, arm: ArmInfo, further: Sequence[str] = ()) -> bool:
    """Whether several trials of one seed have the same values of the two surface axes and the `further` columns."""
    known = [name for name in (arm.x.name, arm.main_axis, "seed") if name in rows.columns]
    return bool(rows.duplicated([*known, *further]).any())


def _extra_axes(rows: pd.DataFrame, arm: ArmInfo) -> list[str]:
    """Other columns that vary and that the plan fills.

    A column that only records fill, such as the optimiser, is empty in trials without a record. An empty cell is not
    another value: without such columns, the same trials are the same configurations. These columns count only if
    trials could not be distinguished without them.
    """
    apart = (arm.x.name, arm.main_axis, "hp_other")
    columns = [name for name in rows.columns if name.startswith("hp_") and name not in apart]
    varying = [name for name in columns if rows[name].nunique(dropna=False) > 1]
    declared, open_ = {axis.name for axis in arm.axes}, rows[rows["status"].isna()]
    planned = [name for name in varying if name in declared or open_.empty or open_[name].notna().any()]
    return varying if _crowded(rows, arm, planned) else planned


def _suffixes(rows: pd.DataFrame, extra: list[str]) -> pd.Series:
    """Texts such as `, gamma 4, kernel imq`, one for each row; an empty value adds no text."""
    texts = [_words(rows[name], name.removeprefix("hp_")) for name in extra]
    return sum(texts[1:], texts[0])


def _words(column: pd.Series, name: str) -> pd.Series:
    told = [
        "" if empty else f", {name} {_word(value)}"
        for value, empty in zip(column, column.isna(), strict=True)
    ]
    return pd.Series(told, index=column.index, dtype=object)


def _word(value: Any) -> str:
    """A number in six digits, or in more where it has more; any other value as its category."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and float(f"{value:g}") == value:
        return f"{value:g}"
    return category(value)


def _part(arm: ArmInfo, suffix: str, rows: pd.DataFrame, extra: Sequence[str]) -> ArmInfo:
    fixed = {name: plain_value(rows[name].iloc[0]) for name in extra}
    part = dataclasses.replace(
        arm,
        label=arm.label + suffix,
        title=arm.name + suffix,
        whole=arm.label,
        fixed=fixed,
        axes=tuple(resolved_axis(axis, fixed) for axis in arm.axes[:2]),
    )
    if "hp_lr" in fixed:
        part = dataclasses.replace(
            part, base_lr=float(fixed["hp_lr"]), lr_source="an axis of this study", lr_tuned=True
        )
    return part


def resolved_axis(axis: AxisInfo, fixed: Mapping[str, Value]) -> AxisInfo:
    """The axis with the measure and the meaning that apply to the fixed values of those columns."""
    column, measures = axis.cases
    if column in fixed:
        measure = measures.get(str(fixed[column]), axis.measure)
        axis = dataclasses.replace(axis, measure=measure, cases=("", {}))
    column, meanings = axis.meanings
    if column in fixed:
        meaning = meanings.get(str(fixed[column]), axis.meaning)
        axis = dataclasses.replace(axis, meaning=meaning, meanings=("", {}))
    return axis


def plain_value(value: Any) -> Value:
    """A value of a table as a Python value; an empty cell as empty text."""
    if pd.isna(value):
        return ""
    return value.item() if hasattr(value, "item") else value


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
