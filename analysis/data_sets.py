"""Several data sets in one report: the analysis of each, and what the report needs on all of them."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from analysis.model.aligned import Aligned, align_cells, same_axes
from analysis.model.info import StudyInfo
from analysis.names import file_names
from analysis.statistics.comparisons.sets_decisions import SetsDecisions, decide_over_sets
from analysis.study_analysis import StudyAnalysis, analyse_table


@dataclass(frozen=True, kw_only=True)
class DataSetsAnalysis:
    """One study on several data sets.

    `info` describes the study; the `info` of each analysis in `findings` describes it on that data set.
    """

    info: StudyInfo
    findings: Mapping[str, StudyAnalysis]  # by data set, in the order in which they occur

    @property
    def only(self) -> StudyAnalysis | None:
        """The analysis where there is only one data set, otherwise None."""
        return next(iter(self.findings.values())) if len(self.findings) == 1 else None

    @property
    def hidden(self) -> frozenset[str]:
        """Names of arms without rows in the tables for readers, on any data set."""
        return frozenset().union(*(item.hidden for item in self.findings.values()))

    @property
    def table(self) -> pd.DataFrame:
        """The rows of all data sets."""
        return pd.concat([item.table for item in self.findings.values()], ignore_index=True)

    @property
    def losses(self) -> dict[str, list[str]]:
        """For every uncut arm, by label, the data sets it ran on."""
        labels = dict.fromkeys(label for item in self.findings.values() for label in item.wholes)
        return {
            label: [name for name, item in self.findings.items() if label in item.wholes] for label in labels
        }

    @property
    def reference(self) -> str:
        """The label of the uncut arm with which losses are compared, where it ran."""
        return self.info.reference_arm.label

    @property
    def without_reference(self) -> list[str]:
        """The data sets on which the reference did not run: losses are compared with another one there."""
        return [name for name, item in self.findings.items() if self.reference not in item.wholes]

    @cached_property
    def over_sets(self) -> SetsDecisions | None:
        """The decisions over all data sets with the reference.

        None where there are fewer than two of them, and where losses are not compared on each of them.
        """
        without = self.without_reference
        there = {name: item.decisions for name, item in self.findings.items() if name not in without}
        found = {name: each for name, each in there.items() if each is not None}
        return decide_over_sets(found) if len(found) == len(there) else None

    def name_of(self, label: str) -> str:
        """The name of an uncut arm for readers."""
        return next(item.whole_name(label) for item in self.findings.values() if label in item.wholes)

    def aligned(self, label: str) -> Aligned | None:
        """The configurations of an uncut arm that its data sets share; None for one data set or different axes."""
        parts = {name: item.wholes[label] for name, item in self.findings.items() if label in item.wholes}
        if len(parts) < 2 or len({same_axes(each) for each in parts.values()}) > 1:
            return None
        return align_cells(parts)

    @property
    def anchors(self) -> dict[str, str]:
        """A short name of every data set for links and folders.

        The names are different even on a file system that ignores case.
        """
        return file_names(self.findings, instead="data")


def analyse_data_sets(table: pd.DataFrame, info: StudyInfo) -> DataSetsAnalysis:
    """Analyses a table with one row for each planned trial, separately for each data set.

    On each data set, the study has the losses and seeds that occur in its rows. Raises `ValueError` as `data_sets`
    does, and for rows that do not fit `info`.
    """
    names = data_sets(table, info)
    if len(names) < 2:
        name = names[0] if names else info.data
        return DataSetsAnalysis(info=info, findings={name: analyse_table(table, info)})
    on = table[info.environment].astype(str)
    parts = {name: table[on == name].reset_index(drop=True) for name in names}
    return DataSetsAnalysis(
        info=info,
        findings={name: analyse_table(rows, _info_on(name, rows, info)) for name, rows in parts.items()},
    )


def data_sets(table: pd.DataFrame, info: StudyInfo) -> list[str]:
    """The names of data sets in the column `info.environment`, as written there; empty without the column.

    Raises `ValueError` for a row without a name where there are several data sets.
    """
    if info.environment not in table.columns:
        return []
    column = table[info.environment]
    names = [str(name) for name in column.dropna().unique()]
    if len(names) > 1 and column.isna().any():
        row = int(column.isna().to_numpy().argmax())
        raise ValueError(f"{info.environment}: row {row + 1} names no data set, where others do")
    return names


def _info_on(name: str, rows: pd.DataFrame, info: StudyInfo) -> StudyInfo:
    """The description of the study on one data set."""
    arms = tuple(arm for arm in info.arms if (rows["arm"] == arm.label).any())
    there = info.reference_arm in arms
    return dataclasses.replace(
        info,
        arms=arms,
        reference=info.reference_arm.label if there else "",
        seeds=tuple(sorted(rows["seed"].unique().tolist())),
        data=name,
    )
