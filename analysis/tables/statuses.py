"""The status of each trial, from the words of this platform and of other tools."""

import numpy as np
import pandas as pd

from analysis.model.cells import MISSING
from analysis.tables.exports.words import STATUS_WORDS
from trainables.store.schema import Status
from trainables.suggestion import shortened

#: Words in a column of statuses. `missing` is for trials that were planned and have not run yet.
STATUSES = (*sorted(str(status) for status in Status), MISSING)
_WORDS = {**STATUS_WORDS, **{word: word for word in STATUSES}}


def statuses(column: pd.Series) -> np.ndarray:
    """The status of every row `(N,)`. Raises `ValueError` for a word that is not known."""
    told = _plain_words(column)
    unknown = sorted(set(told) - set(_WORDS))
    if unknown:
        raise ValueError(
            f"status: got {shortened(unknown[0])}; allowed are {', '.join(STATUSES)}, and the words of Weights & "
            "Biases, Optuna, Ray Tune and MLflow"
        )
    return told.map(_WORDS).to_numpy(dtype=object)


def has_statuses(column: pd.Series) -> bool:
    """Whether a cell has the word of a status."""
    return bool(set(_plain_words(column)) & set(_WORDS))


def _plain_words(column: pd.Series) -> pd.Series:
    """The words in small letters. Slurm adds who cancelled a job: `CANCELLED by 1000`."""
    return column.astype(str).str.strip().str.lower().str.replace(r" by \d+$", "", regex=True)


def status_words(column: pd.Series) -> str:
    """The words of a column with their statuses and counts, such as `finished as ok (24)`."""
    written = column.astype(str).str.strip()
    status_of = dict(zip(written, _plain_words(column).map(_WORDS), strict=True))
    counts = written.value_counts()
    told = [
        f"{word} {'' if word == status_of[word] else f'as {status_of[word]} '}({count})"
        for word, count in zip(map(str, counts.index), counts, strict=True)
    ]
    return ", ".join(told)
