"""Fairness checks on a comparison of several studies: what the studies did differently.

A trial's configuration contains what can change its result, and nothing else. A setting that differs between studies
therefore fails, except for settings that the compared metric does not depend on: those are a warning. Versions of
packages and machines are a warning too, because they change rounding only. The settings come with the studies
(`StudyInfo.settings`), so this module names none of them.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.fairness.settings import ComparedSetting, by_study, compared_settings, ordered, values_text
from analysis.info import StudyInfo
from analysis.wording import counted, listing, opened

#: The column with the names of studies.
STUDY = "study"

#: The group of the settings of data. Studies on different data differ in it on purpose.
_DATA = "data"

#: Groups of settings that are asked for even where no study tells anything of them.
_ASKED = (_DATA, "network", "budget", "training", "evaluation")

#: What records tell of a run besides its settings: the question, the level of a difference, and the columns.
_RUNS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("numerics", FAIL, ("numerics_version",)),
    ("search", WARN, ("design",)),
    ("code", WARN, ("package_version", "torch_version", "git_revision")),
    ("hardware", WARN, ("device", "device_name", "threads", "execution_mode")),
)

#: With fewer shared seeds, a paired difference has no interval.
_LEAST_SEEDS = 2


def study_cards(info: StudyInfo, table: pd.DataFrame, *, data_apart: bool = False) -> list[Card]:
    """One card for each question, on trials of several studies; none for one study.

    `data_apart` says that the studies have different data on purpose.
    """
    studies = info.compared
    if len(studies) < 2:
        return []
    settings = [each for each in compared_settings(studies) if not (data_apart and each.item.group == _DATA)]
    cards = [*_setting_cards(settings, studies), *_space_cards(settings), *_tolerance_cards(studies)]
    cards += _silent_cards(settings, studies, [name for name in _ASKED if not (data_apart and name == _DATA)])
    cards += [_run_card(table, *question) for question in _RUNS]
    return cards if data_apart else [*cards, _seeds_card(table)]


def _setting_cards(settings: Sequence[ComparedSetting], studies: Sequence[StudyInfo]) -> Iterator[Card]:
    """A card for each group of settings."""
    for group in dict.fromkeys(each.item.group for each in settings):
        yield _group_card(group, [each for each in settings if each.item.group == group], studies)


def _group_card(group: str, settings: Sequence[ComparedSetting], studies: Sequence[StudyInfo]) -> Card:
    differing = {each.item.name: each for each in settings if each.differences}
    plain = [each for each in differing.values() if not each.item.digest]
    shown = plain or list(differing.values())  # other settings mostly explain that the content differs
    texts = [text for each in shown for text in _differences(each)]
    silent = _silent(settings, studies)
    if texts:
        level = FAIL if any(each.item.decisive for each in shown) else WARN
        text = f"{'; '.join(texts)}.{f' {silent}' if silent else ''}"
        return Card(level=level, title=f"Studies differ in {group}", text=text)
    if silent:
        return Card(level=WARN, title=f"{opened(group)} not recorded by every study", text=silent)
    told = [f"{each.item.label} {_shared(each)}" for each in settings if _shared(each)]
    text = f"The same in every study: {'; '.join(told)}." if told else "No study fixes any of these settings."
    return Card(level=PASS, title=f"Studies agree in {group}", text=text)


def _differences(setting: ComparedSetting) -> list[str]:
    note = "" if setting.item.decisive else " (the compared metric does not depend on it)"
    return [f"{text}{note}" for text in setting.differences]


def _shared(setting: ComparedSetting) -> str:
    """The values that all studies have; empty where they depend on the loss, and for hashes."""
    values = setting.item.values.get("", ())
    return "" if setting.item.digest else values_text(values)


def _silent(settings: Sequence[ComparedSetting], studies: Sequence[StudyInfo]) -> str:
    """The settings that only some studies tell, as a sentence; empty without any.

    Settings of losses do not count: a loss may be in one study alone.
    """
    untold: dict[tuple[str, ...], list[str]] = {}
    for each in settings:
        names = tuple(study.name for study in studies if study.name not in each.by_study)
        if names and "" in each.item.values:
            untold.setdefault(names, []).append(each.item.label)
    told = [f"{listing(labels)} by {listing(names)}" for names, labels in untold.items()]
    return f"Not recorded, so it may differ: {'; '.join(told)}." if told else ""


def _space_cards(settings: Sequence[ComparedSetting]) -> list[Card]:
    """A card where studies sweep a setting over different values; scores over the space then do not compare."""
    swept = [text for each in settings for text in each.spaces]
    reach = "Averages over the space and tuned scores are over different values"
    shared = "the section on the same loss in several studies compares over the shared ones"
    text = f"{'; '.join(swept)}. {reach}; {shared}."
    return [Card(level=FAIL, title="Studies differ in space", text=text)] if swept else []


def _silent_cards(
    settings: Sequence[ComparedSetting], studies: Sequence[StudyInfo], asked: Sequence[str]
) -> list[Card]:
    """A card on the groups of which imported tables tell nothing at all."""
    told = {each.item.group for each in settings}
    silent = [group for group in asked if group not in told]
    if not silent or not any(study.imported for study in studies):
        return []
    text = f"No study tells of its {listing(silent)}, so these may differ."
    return [Card(level=WARN, title="Settings not recorded", text=text)]


def _tolerance_cards(studies: Sequence[StudyInfo]) -> list[Card]:
    values = {study.name: (study.metric.factor * study.tolerance,) for study in studies}
    if len(set(values.values())) < 2:
        return []
    unit = studies[0].metric.difference_unit
    text = f"tolerance, {unit}: {by_study(values)}. This report uses that of {studies[0].name}."
    return [Card(level=WARN, title="Studies differ in tolerance", text=text)]


def _run_card(table: pd.DataFrame, question: str, level: str, columns: tuple[str, ...]) -> Card:
    told = [_told(table, name) for name in columns if name in table.columns]
    if differing := [text for text in told if text]:
        return Card(level=level, title=f"Studies differ in {question}", text=f"{'; '.join(differing)}.")
    if silent := _silent_runs(table, columns):
        text = f"Not recorded by {listing(silent)}, so it may differ."
        return Card(level=WARN, title=f"{opened(question)} not recorded by every study", text=text)
    text = "The same in every study, as far as it is recorded."
    return Card(level=PASS, title=f"Studies agree in {question}", text=text)


def _silent_runs(table: pd.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Studies that have trials, but no value in any of the columns.

    In trials of this package, an empty column means that the trial has no such thing, so these are not silent.
    """
    told = table.reindex(columns=[*columns, "numerics_version"]).notna().any(axis=1)
    known, ran = (each.groupby(table[STUDY], sort=False).any() for each in (told, table["status"].notna()))
    return [str(name) for name in known.index[ran & ~known]]


def _told(table: pd.DataFrame, column: str) -> str:
    """A text such as `device: cpu in A, cuda in B`; empty where all studies with values have the same ones."""
    rows = table.groupby(STUDY, sort=False)[column]
    values = {str(name): ordered(each.dropna().tolist()) for name, each in rows}
    known = {name: each for name, each in values.items() if each}
    return f"{column.replace('_', ' ')}: {by_study(known)}" if len(set(known.values())) > 1 else ""


def _seeds_card(table: pd.DataFrame) -> Card:
    """How many seeds all studies have. Losses of different studies are compared in pairs over these."""
    seeds = {str(name): set(rows.tolist()) for name, rows in table.groupby(STUDY, sort=False)["seed"]}
    shared = ordered(set.intersection(*seeds.values()))
    own = by_study({name: ordered(each) for name, each in seeds.items()})
    if all(each == set(shared) for each in seeds.values()):
        text = f"Every study has the same {counted(len(shared), 'seed')}, so comparisons are paired."
        return Card(level=PASS, title="Studies agree in seeds", text=text)
    if not shared:
        text = f"The studies share no seed, so their losses cannot be compared in pairs: {own}."
        return Card(level=FAIL, title="No shared seeds", text=text)
    text = (
        f"The studies share {counted(len(shared), 'seed')} ({values_text(shared)}), and comparisons use only "
    )
    few = len(shared) < _LEAST_SEEDS
    text += f"{'that one, which gives no interval' if few else 'these'}: {own}."
    return Card(level=FAIL if few else WARN, title="Studies differ in seeds", text=text)
