"""The settings of several studies beside each other: which differ, and which only some studies tell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis.model.axis_values import value_order
from analysis.model.info import SettingInfo, StudyInfo, Value
from analysis.wording import listing, number

#: Up to this number of values, a text has all of them.
_MOST = 6


@dataclass(frozen=True, kw_only=True)
class ComparedSetting:
    """One setting in several studies."""

    item: SettingInfo  # as the study declares it that tells most of it; its values are those of that study
    by_study: Mapping[str, SettingInfo]  # for every study that tells the setting, in the order of the studies

    @property
    def differences(self) -> list[str]:
        """A text such as `encoder width: 32 in A, 64 in B` where a study has one value; empty without any."""
        return [text for text, swept in self._differences() if not swept]

    @property
    def spaces(self) -> list[str]:
        """The same where every study sweeps the setting, over different values."""
        return [text for text, swept in self._differences() if swept]

    @property
    def unlike(self) -> frozenset[str]:
        """The studies that differ from the first one that tells the setting, in any loss that both have."""
        known = list(self.by_study.items())
        labels = {label for _, item in known for label in item.values if label} or {""}

        def of(item: SettingInfo, label: str) -> tuple[Value, ...]:
            return item.values.get(label, item.values.get("", ()))

        first = known[0][1]
        return frozenset(
            study
            for study, item in known
            for label in labels
            if of(item, label) and of(first, label) and of(item, label) != of(first, label)
        )

    def _differences(self) -> list[tuple[str, bool]]:
        labels = list(
            dict.fromkeys(label for item in self.by_study.values() for label in item.values if label)
        )
        found: dict[tuple[str, bool], list[str]] = {}
        for label in labels or [""]:
            values = {
                study: item.values.get(label, item.values.get("", ()))
                for study, item in self.by_study.items()
            }
            known = {study: each for study, each in values.items() if each}
            if len(set(known.values())) > 1:
                swept = all(len(each) > 1 for each in known.values())
                found.setdefault((by_study(known), swept), []).append(label)
        return [
            (f"{self.item.label}{f' of {listing(losses)}' if losses != [''] else ''}: {text}", swept)
            for (text, swept), losses in found.items()
        ]


def compared_settings(studies: Sequence[StudyInfo]) -> list[ComparedSetting]:
    """Every setting of any study. A table may have a setting under the name of its record column."""
    names = {item.column: item.name for study in studies for item in study.settings if item.column}
    found: dict[str, dict[str, SettingInfo]] = {}
    declared: dict[str, SettingInfo] = {}
    for study in sorted(studies, key=lambda study: study.imported):  # study files know labels and groups best
        for item in study.settings:
            name = names.get(item.name, item.name)
            declared.setdefault(name, item)
            found.setdefault(name, {})[study.name] = item
    order = [study.name for study in studies]
    return [
        ComparedSetting(item=declared[name], by_study={key: items[key] for key in order if key in items})
        for name, items in found.items()
    ]


def by_study(values: Mapping[str, tuple[Value, ...]]) -> str:
    """A text such as `32 in A and C, 64 in B`."""
    texts = {study: values_text(each) for study, each in values.items()}
    if len(set(texts.values())) < len(set(values.values())):  # rounding would hide a difference
        texts = {study: listing([str(value) for value in each]) for study, each in values.items()}
    studies: dict[str, list[str]] = {}
    for study, text in texts.items():
        studies.setdefault(text, []).append(study)
    return ", ".join(f"{text} in {listing(names)}" for text, names in studies.items())


def values_text(values: Sequence[Value]) -> str:
    """A text such as `8, 16 and 32`, or `0.05 to 2 (20 values)`."""
    if len(values) > _MOST:
        return f"{_text(values[0])} to {_text(values[-1])} ({len(values)} values)"
    return listing([_text(value) for value in values])


def ordered(values: Iterable[Value]) -> tuple[Value, ...]:
    """Distinct values in the order of `value_order`. The truth value True is not the number 1."""
    distinct = {(isinstance(value, bool), value): value for value in values}
    return tuple(sorted(distinct.values(), key=value_order))


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else number(value)
