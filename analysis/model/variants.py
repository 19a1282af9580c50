"""The variants of a loss: its space of numbers, once for each choice of its categories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.model.arms import plain_value, resolved_axis
from analysis.model.axis_values import category, is_empty, value_order
from analysis.model.cells import Cells, axis_values, build_cells
from analysis.model.info import ArmInfo, AxisInfo, StudyInfo, Value
from analysis.wording import number


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One loss at one choice of its categories. Validation chooses between the variants of a loss."""

    axes: tuple[AxisInfo, ...]  # of its categories, in the order of their columns
    fixed: Mapping[str, Value]  # the category of each of them, by column; empty for a loss without variants
    cells: Cells  # over all other axes, in the order of their columns

    @property
    def words(self) -> str:
        """Its categories for readers, such as `kernel imq, optimizer sgd`."""
        return ", ".join(f"{axis.words} {number(category(self.fixed[axis.name]))}" for axis in self.axes)

    @property
    def defaults(self) -> int:
        """The number of its categories that are the default."""
        return sum(
            axis.default is not None and category(axis.default) == category(self.fixed[axis.name])
            for axis in self.axes
        )


def study_variants(
    table: pd.DataFrame, info: StudyInfo, uncut: Mapping[str, ArmInfo]
) -> dict[str, tuple[Variant, ...]]:
    """The variants of every uncut arm, by its label, for `info` and a table after `arms.split_arms`.

    Every axis of numbers belongs to the space of a variant, and categories distinguish the variants of all losses or
    of none (`_categories`): otherwise validation would choose the category of one loss and not that of another one.
    Neither the space nor the variants depend on which axes a figure shows. The variant with the most default
    categories comes first.
    """
    names = {label: _columns(info, label) for label in uncut}
    rows = {
        label: table[table["arm"].isin([arm.label for arm in info.arms if arm.whole_label == label])]
        for label in uncut
    }
    named = _categories(rows, uncut, names) if not info.drawn else set()
    return {label: _variants(rows[label], arm, info, names[label], named) for label, arm in uncut.items()}


def _columns(info: StudyInfo, label: str) -> list[str]:
    """The columns of all axes of an uncut arm, sorted."""
    part = next(arm for arm in info.arms if arm.whole_label == label)
    return sorted({axis.name for axis in part.axes} | set(part.fixed))


def _categories(
    rows: Mapping[str, pd.DataFrame], uncut: Mapping[str, ArmInfo], names: Mapping[str, Sequence[str]]
) -> set[str]:
    """The columns whose values distinguish variants; a column has categories if it has them in any loss.

    None where every loss has at most two axes: the two axes of a surface are the space whatever their values are.
    None either where a loss varies categories only, which would leave it without a space.
    """
    found = {
        name
        for label, columns in names.items()
        for name in columns
        if axis_values(rows[label], uncut[label].axis(name)).dtype.kind != "f"
    }
    varying = {
        label: {
            name for name in columns if name in rows[label] and rows[label][name].nunique(dropna=False) > 1
        }
        for label, columns in names.items()
    }
    spaces = all(set(varying[label] or columns) - found for label, columns in names.items())
    return found if spaces and any(len(each) > 2 for each in varying.values()) else set()


def _variants(
    rows: pd.DataFrame, arm: ArmInfo, info: StudyInfo, columns: Sequence[str], named: set[str]
) -> tuple[Variant, ...]:
    apart = [name for name in columns if name in named]
    infos = tuple(arm.axis(name) for name in apart)
    texts = [_texts(rows, axis) for axis in infos]
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, key in enumerate(zip(*texts, strict=True) if texts else [()] * len(rows)):
        groups.setdefault(key, []).append(index)
    found = []
    for indices in groups.values():
        fixed = {axis.name: _value(rows[axis.name].iloc[indices[0]], axis) for axis in infos}
        space = [resolved_axis(arm.axis(name), fixed) for name in columns if name not in apart]
        cells = build_cells(rows.iloc[indices], arm, info.metric, space, drawn=info.drawn)
        found.append(Variant(axes=infos, fixed=fixed, cells=cells))
    if info.imported:  # rows of a table have any order
        found.sort(key=lambda item: [value_order(value) for value in item.fixed.values()])
    return tuple(sorted(found, key=lambda item: -item.defaults))


def _value(value: Any, axis: AxisInfo) -> Value:
    """A category as a Python value; the default, or empty text, in place of an empty cell."""
    return plain_value(axis.default if is_empty(value) and axis.default is not None else value)


def _texts(rows: pd.DataFrame, axis: AxisInfo) -> list[str]:
    return [category(value) for value in axis_values(rows, axis).tolist()]
