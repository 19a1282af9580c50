"""Fairness checks on a comparison of several studies: what the studies did differently.

A trial's configuration contains what can change its result, and nothing else. A setting that differs between studies
therefore fails, unless it has a reason why it need not change the compared metric (`SettingInfo.doubt`): then it is a
warning. Versions of packages and machines are a warning too, because they change rounding only. The settings come
with the studies (`StudyInfo.settings`), so this module names none of them.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.fairness.settings import ComparedSetting, by_study, compared_settings, ordered, values_text
from analysis.model.info import StudyInfo
from analysis.names import spaced
from analysis.wording import counted, listing

#: The column with the names of studies.
STUDY = "study"

#: The group of the settings of data. Studies on different data differ in it on purpose.
_DATA = "data"

#: Groups of settings that are asked for even where no study tells anything of them.
_ASKED = (_DATA, "network", "budget", "training", "evaluation")

#: What records tell of a run besides its settings: the question, the level of a difference, and the columns.
_RUNS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("numerics", FAIL, ("numerics_version",)),
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
    asked = [name for name in _ASKED if not (data_apart and name == _DATA)]
    arms = _other_arms(info, table)
    cards = [*_setting_cards(settings, arms), *_space_cards(settings, arms), *_tolerance_cards(studies)]
    cards += [card for question in _RUNS for card in _run_cards(table, *question)]
    cards += _silent_cards(settings, studies, table, asked)
    cards += [] if data_apart else [_seeds_card(table)]
    return [_withholding(card, arms) if card.level == FAIL else card for card in cards]


def _other_arms(info: StudyInfo, table: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Labels of the whole arms of each study but the first, which has the reference."""
    wholes = {arm.label: arm.whole_label for arm in info.arms}
    rows = table[table[STUDY] != info.compared[0].name].groupby(STUDY, sort=False)["arm"]
    return {str(name): tuple(dict.fromkeys(wholes.get(a, a) for a in each.unique())) for name, each in rows}


def _withholding(card: Card, arms: Mapping[str, tuple[str, ...]]) -> Card:
    """A failed card with a short line; it names the arms of all other studies unless it names arms already."""
    every = tuple(label for labels in arms.values() for label in labels)
    return dataclasses.replace(card, line=card.line or card.text.rstrip("."), losses=card.losses or every)


def _concerned(settings: Sequence[ComparedSetting], arms: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The arms of the studies in which a setting is not that of the first study."""
    names = frozenset().union(*(each.unlike for each in settings))
    return tuple(label for name, labels in arms.items() if name in names for label in labels)


def _setting_cards(
    settings: Sequence[ComparedSetting], arms: Mapping[str, tuple[str, ...]]
) -> Iterator[Card]:
    """A card for each group of settings."""
    for group in dict.fromkeys(each.item.group for each in settings):
        if card := _group_card(group, [each for each in settings if each.item.group == group], arms):
            yield card


def _group_card(
    group: str, settings: Sequence[ComparedSetting], arms: Mapping[str, tuple[str, ...]]
) -> Card | None:
    """A card on settings that at least two studies tell; None without any."""
    differing = [each for each in settings if each.differences]
    plain = [each for each in differing if not each.item.digest]
    shown = plain or differing  # other settings mostly explain that hashes differ
    if shown:
        level = WARN if all(each.item.doubt for each in shown) else FAIL
        text = "; ".join(text for each in shown for text in _differences(each))
        losses = _concerned([each for each in shown if not each.item.doubt], arms)
        return Card(level=level, title=f"Studies differ in {group}", text=f"{text}.", losses=losses)
    told = [
        f"{each.item.label} {_shared(each)}" for each in settings if len(each.by_study) > 1 and _shared(each)
    ]
    if not told:
        return None
    return Card(level=PASS, title=f"Studies agree in {group}", text=f"The same: {'; '.join(told)}.")


def _differences(setting: ComparedSetting) -> list[str]:
    doubt = f" ({setting.item.doubt})" if setting.item.doubt else ""
    return [f"{text}{doubt}" for text in setting.differences]


def _shared(setting: ComparedSetting) -> str:
    """The values that all losses have; empty where they depend on the loss, and for hashes."""
    return "" if setting.item.digest else values_text(setting.item.values.get("", ()))


def _space_cards(settings: Sequence[ComparedSetting], arms: Mapping[str, tuple[str, ...]]) -> list[Card]:
    """A card where studies sweep a setting over different values; scores over the space then do not compare."""
    swept = [text for each in settings for text in each.spaces]
    reach = "Averages over the space and tuned scores are over different values"
    shared = "the section on the same loss in several studies compares over the shared ones"
    text = f"{'; '.join(swept)}. {reach}; {shared}."
    losses = _concerned([each for each in settings if each.spaces], arms)
    card = Card(level=FAIL, title="Studies differ in space", text=text, line="; ".join(swept), losses=losses)
    return [card] if swept else []


def _silent_cards(
    settings: Sequence[ComparedSetting],
    studies: Sequence[StudyInfo],
    table: pd.DataFrame,
    asked: Sequence[str],
) -> list[Card]:
    """A card on what studies do not tell, mostly imported tables. A loss may be in one study alone."""
    told = {each.item.group for each in settings}
    untold: dict[str, list[str]] = {study.name: [] for study in studies}
    for study in studies:
        known = [each for each in settings if "" in each.item.values and not each.item.doubt]
        untold[study.name] += [each.item.label for each in known if study.name not in each.by_study]
        untold[study.name] += [group for group in asked if group not in told and study.imported]
    for question, _, columns in _RUNS:
        for name in _silent_runs(table, columns):
            untold[name].append(question)
    studies_of: dict[str, list[str]] = {}
    for name, words in untold.items():
        if words:
            studies_of.setdefault(listing(words), []).append(name)
    texts = [f"by {listing(names)}: {words}" for words, names in studies_of.items()]
    text = f"Not recorded, so it may differ, {'; '.join(texts)}."
    return [Card(level=WARN, title="Not recorded by every study", text=text)] if texts else []


def _tolerance_cards(studies: Sequence[StudyInfo]) -> list[Card]:
    values = {study.name: (study.metric.factor * study.tolerance,) for study in studies}
    if len(set(values.values())) < 2:
        return []
    unit = studies[0].metric.difference_unit
    text = f"tolerance, {unit}: {by_study(values)}. This report uses that of {studies[0].name}."
    return [Card(level=WARN, title="Studies differ in tolerance", text=text)]


def _run_cards(table: pd.DataFrame, question: str, level: str, columns: tuple[str, ...]) -> list[Card]:
    told = [_told(table, name) for name in columns if name in table.columns]
    if differing := [text for text in told if text]:
        return [Card(level=level, title=f"Studies differ in {question}", text=f"{'; '.join(differing)}.")]
    if _silent_runs(table, columns):
        return []
    text = "The same in every study, as far as it is recorded."
    return [Card(level=PASS, title=f"Studies agree in {question}", text=text)]


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
    values = {str(name): ordered(map(_text, each.dropna().tolist())) for name, each in rows}
    known = {name: each for name, each in values.items() if each}
    return f"{spaced(column)}: {by_study(known)}" if len(set(known.values())) > 1 else ""


def _text(value: object) -> str:
    """A value of a run as text. A table may have a version `2` as 2, 2.0 or "2"."""
    text = str(value)
    return text.removesuffix(".0") if text.removesuffix(".0").isdigit() else text


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
    return Card(level=FAIL, title="Studies differ in seeds", text=text)
