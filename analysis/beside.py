"""One's own loss beside rows that came with a study: how far trials that ran again differ, and what else differs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Columns of a record on machine, versions and data, in which rows from elsewhere may differ, with their names.
RUN_COLUMNS: Mapping[str, str] = {
    "device": "Device",
    "device_name": "Device model",
    "threads": "Threads a trial",
    "execution_mode": "Execution mode",
    "python_version": "Python",
    "torch_version": "PyTorch",
    "package_version": "Package version",
    "git_revision": "Git revision",
    "numerics_version": "Numerics version",
    "data": "Data set",
    "data_fingerprint": "Data fingerprint",
}


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What ran here beside the rows that came with a study."""

    label: str  # of the loss that was trained here
    here: pd.DataFrame  # all trials that ran here, with the columns of records
    #: Trials that ran again: `arm`, and the scores `came` and `here` (NaN for a failed trial).
    repeated: pd.DataFrame
    rate: str  # where the base learning rate of that loss comes from
    settings: tuple[str, ...] = ()  # settings that differ, in words


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """The score here less the score that came with the study, over repeated trials. All in raw units of the score.

    NaN where there is no trial, and for the noise where no configuration has two seeds.
    """

    count: int  # with a score in both places
    failed: int  # without one here
    mean: float
    largest: float  # absolute
    noise: float  # standard deviation between the seeds of one configuration, in the rows that came with the study


def repeats(repeated: pd.DataFrame, came: pd.DataFrame, score: str) -> Repeats:
    """The differences of repeated trials, against the seed noise of the rows `came` in the column `score`.

    The variance between seeds is pooled over configurations by degrees of freedom.
    """
    gaps = (repeated["here"] - repeated["came"]).astype(float)
    found = gaps.dropna()
    return Repeats(
        count=len(found),
        failed=int(gaps.isna().sum()),
        mean=float(found.mean()) if len(found) else math.nan,
        largest=float(found.abs().max()) if len(found) else math.nan,
        noise=_seed_noise(came, score),
    )


def _seed_noise(rows: pd.DataFrame, score: str) -> float:
    scores = rows[score].astype(float)
    groups = scores.groupby([rows["arm"], rows["config_id"]])
    squares = groups.transform(lambda each: (each - each.mean()) ** 2).sum()
    degrees = int((groups.count() - 1).clip(lower=0).sum())
    return float(np.sqrt(squares / degrees)) if degrees else math.nan
