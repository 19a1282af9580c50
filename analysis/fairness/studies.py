"""Fairness checks on a comparison of several studies: what the studies did differently."""

import pandas as pd

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.wording import listing, number

#: The column with the names of studies.
STUDY = "study"

#: Each question, the level of a difference, and the columns that answer it.
_QUESTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Budget", FAIL, ("hp_epochs", "hp_steps", "hp_samples")),
    (
        "Protocol",
        FAIL,
        (
            *("data", "data_fingerprint", "encoder", "views", "views_form", "probe_id"),
            *("hp_optimizer", "hp_lr_rule", "hp_weight_decay"),
        ),
    ),
    ("Seeds", WARN, ("seed",)),
    (
        "Numerics",
        WARN,
        ("hp_precision", "numerics_version", "package_version", "torch_version", "git_revision"),
    ),
    ("Hardware", WARN, ("device", "device_name", "threads", "execution_mode")),
)
_MOST = 8  # values of one column that are shown


def study_cards(table: pd.DataFrame, *, data_apart: bool = False) -> list[Card]:
    """One card for each question, on trials of several studies; none for one study.

    `data_apart` says that the studies have different data on purpose.
    """
    if STUDY not in table.columns or table[STUDY].nunique() < 2:
        return []
    asked = table.drop(columns=["data", "data_fingerprint"], errors="ignore") if data_apart else table
    return [_card(asked, *question) for question in _QUESTIONS]


def _card(table: pd.DataFrame, question: str, level: str, columns: tuple[str, ...]) -> Card:
    told = [_told(table, name) for name in columns if name in table.columns]
    differing = [text for text in told if text]
    if differing:
        return Card(level=level, title=f"{question} of the studies differs", text=f"{'; '.join(differing)}.")
    title, silent = f"{question} of the studies", _silent(table, columns)
    if silent:
        text = f"Not recorded by {listing(silent)}, so it may differ."
        return Card(level=WARN, title=f"{title} not recorded", text=text)
    return Card(level=PASS, title=title, text="The same in every study, as far as it is recorded.")


def _silent(table: pd.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Studies that have trials, but no value in any of the columns.

    In trials of this package, an empty column means that the trial has no such thing, so these are not silent.
    """
    told = table.reindex(columns=[*columns, "numerics_version"]).notna().any(axis=1)
    known, ran = (each.groupby(table[STUDY], sort=False).any() for each in (told, table["status"].notna()))
    return [str(name) for name in known.index[ran & ~known]]


def _told(table: pd.DataFrame, column: str) -> str:
    """A text such as `epochs: short 12, long 50`; empty where all studies with values have the same ones."""
    values = {str(name): _values(rows[column]) for name, rows in table.groupby(STUDY, sort=False)}
    known = {name: each for name, each in values.items() if each}
    if len({tuple(each) for each in known.values()}) < 2:
        return ""
    shown = [f"{name} {', '.join(each[:_MOST])}{', …' * (len(each) > _MOST)}" for name, each in known.items()]
    return f"{column.removeprefix('hp_').replace('_', ' ')}: {'; '.join(shown)}"


def _values(column: pd.Series) -> list[str]:
    """Distinct values in sorted order, as texts."""
    return [
        number(value) if isinstance(value, (int, float)) else str(value)
        for value in sorted(column.dropna().unique().tolist(), key=lambda v: (isinstance(v, str), v))
    ]
