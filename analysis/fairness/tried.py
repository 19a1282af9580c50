"""What a study tried: the part of its analysis before statistics, which checks of settings need."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.fairness.settings import ordered, values_text
from analysis.fairness.studies import STUDY
from analysis.model.cells import Cells
from analysis.model.info import StudyInfo
from analysis.wording import listing


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Trials as rows and as cells of each arm, and the description of the study."""

    info: StudyInfo
    table: pd.DataFrame
    cells: Mapping[str, Cells]

    def only(self, labels: Sequence[str]) -> "Tried":
        """The rows and cells of these arms."""
        reference = self.info.reference_arm.label
        arms = tuple(arm for arm in self.info.arms if arm.label in labels)
        return Tried(
            info=self.info.with_arms(arms, reference=reference if reference in labels else ""),
            table=self.table[self.table["arm"].isin(labels)],
            cells={label: self.cells[label] for label in self.cells if label in labels},
        )

    @property
    def compared(self) -> "Tried":
        """Without the null controls, which are compared with what they repeat alone."""
        return self.only([label for label in self.cells if label not in self.info.repeats])

    @property
    def names(self) -> dict[str, str]:
        """Names of whole arms for readers, by label."""
        return {
            arm.whole_label: arm.name.partition(",")[0] if arm.fixed else arm.name for arm in self.info.arms
        }

    def unlike(self, values: Mapping[str, Hashable]) -> tuple[str, ...]:
        """Whole arms whose values, by label of the whole arm, are not those of the reference.

        Where all are like the reference, although a check failed, these are all whole arms but the reference.
        """
        reference = self.info.reference_arm.whole_label
        apart = tuple(label for label, each in values.items() if each != values.get(reference))
        return apart or tuple(label for label in values if label != reference)

    def told(self, words: str, values: Mapping[str, Sequence], *, shown: bool = True) -> str:
        """A text such as `encoder width: 16 for InfoNCE, 32 for KCL`, from values by label of the whole arm.

        Values that tell a reader nothing, such as hashes, are not `shown`: only which losses share them.
        """
        names = self.names
        groups: dict[tuple, list[str]] = {}
        for label, each in values.items():
            groups.setdefault(ordered(each), []).append(names.get(label, label))
        if shown:
            texts = [values_text(each) or "none" for each in groups]
        else:
            texts = [f"{len(each)} values" if len(each) > 1 else "one value" for each in groups]
            texts = [text if not at else text.replace("one", "another") for at, text in enumerate(texts)]
        parts = [f"{text} for {listing(losses)}" for text, losses in zip(texts, groups.values(), strict=True)]
        return f"{words}: {', '.join(parts)}"

    def by_loss(self, column: str) -> dict[str, tuple]:
        """The distinct values of a column in rows with a result, by label of the whole arm."""
        rows = self.table["status"].notna()
        return {
            str(label): tuple(each.dropna().unique().tolist())
            for label, each in self.table.loc[rows, column].groupby(self.wholes[rows], sort=False)
        }

    def by_study(self) -> Iterator[tuple[StudyInfo, pd.DataFrame]]:
        """The studies of a comparison that have rows, with them, or the one study with all rows."""
        if not self.info.compared:
            yield self.info, self.table
        for info in self.info.compared:
            rows = self.table[self.table[STUDY] == info.name]
            if len(rows):
                yield info, rows

    @property
    def wholes(self) -> pd.Series:
        """The label of the whole arm of each row of the table."""
        return self.table["arm"].map({arm.label: arm.whole_label for arm in self.info.arms})
