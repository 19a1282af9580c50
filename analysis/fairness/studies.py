"""Where the trials of several studies are compared: what the studies did differently."""

import pandas as pd

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.wording import listing, number

#: The column that names studies.
STUDY = "study"

#: What is asked, how grave a difference is, and the columns that answer.
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
_MOST = 8  # values of one column that are told


def study_cards(table: pd.DataFrame, *, data_apart: bool = False) -> list[Card]:
    """A card a question, on trials of several studies; none for one study.

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
    """Studies with trials that tell none of the columns; our own trials leave empty only what they do not have."""
    told = table.reindex(columns=[*columns, "numerics_version"]).notna().any(axis=1)
    known, ran = (each.groupby(table[STUDY], sort=False).any() for each in (told, table["status"].notna()))
    return [str(name) for name in known.index[ran & ~known]]


def _told(table: pd.DataFrame, column: str) -> str:
    """As `epochs: short 12, long 50`; empty where all studies that recorded the column have the same values."""
    values = {str(name): _values(rows[column]) for name, rows in table.groupby(STUDY, sort=False)}
    known = {name: each for name, each in values.items() if each}
    if len({tuple(each) for each in known.values()}) < 2:
        return ""
    shown = [f"{name} {', '.join(each[:_MOST])}{', …' * (len(each) > _MOST)}" for name, each in known.items()]
    return f"{column.removeprefix('hp_').replace('_', ' ')}: {'; '.join(shown)}"


def _values(column: pd.Series) -> list[str]:
    """Distinct values in order, as texts."""
    return [
        number(value) if isinstance(value, (int, float)) else str(value)
        for value in sorted(column.dropna().unique().tolist(), key=lambda v: (isinstance(v, str), v))
    ]
