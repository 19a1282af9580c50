"""Claims of papers, written down before a study runs, and what its records say of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

CONFIRMED, NOT_CONFIRMED, NOT_TESTABLE, OPEN = (
    "confirmed",
    "not confirmed",
    "not testable here",
    "open: trials are missing",
)

Value = bool | int | float | str
Rows = Mapping[str, Value | tuple[Value, ...]]

#: What tells trials apart that only a hyperparameter in `below` does not.
_SEED = "seed"

#: Columns that rows may name beside hyperparameters.
_PLAIN = ("arm", "ideal")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement about `column` of the trials in `rows`, with what confirms it.

    Each trial must have it at most `at_most`, at least `at_least`, or less than its match, which is the trial that
    differs from it in what `below` says alone. At least `share` of them must. With `untestable` it says why not.
    """

    name: str
    claim: str
    paper: str
    rows: Rows = field(default_factory=dict)  # hyperparameters without `hp_`, or `arm`, and their values
    column: str = ""
    at_most: float | None = None
    at_least: float | None = None
    below: Rows = field(default_factory=dict)
    share: float = 1.0
    figure: str = ""  # of the report
    untestable: str = ""

    @property
    def confirmed_by(self) -> str:
        """What would confirm it, in words, tolerance included."""
        if self.untestable:
            return "–"
        many = "every trial" if self.share == 1 else f"at least {100 * self.share:g} % of the trials"
        bounds = [
            f"{words} {bound:g}"
            for words, bound in (("at most", self.at_most), ("at least", self.at_least))
            if bound is not None
        ]
        told = " and ".join(bounds) or f"less than at {_rows_words(self.below)}"
        return f"{many} of {_rows_words(self.rows)}: {self.column} {told}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What became of a claim."""

    claim: Claim
    status: str
    found: str  # in words, with numbers
    agreeing: int = 0
    trials: int = 0


def judge(claim: Claim, table: pd.DataFrame) -> Finding:
    """Hold a claim against the trials of a table (`analysis.table`). A trial that failed never agrees.

    Raises `ValueError` for rows, or a column, that the table has not.
    """
    if claim.untestable:
        return Finding(claim=claim, status=NOT_TESTABLE, found=claim.untestable)
    chosen = table[_mask(claim, claim.rows, table)]
    if claim.column in table and chosen["status"].isna().any():
        to_run = int(chosen["status"].isna().sum())
        return Finding(claim=claim, status=OPEN, found=f"{to_run} trials have not run")
    if claim.column not in table or chosen.empty:
        missing = claim.column if claim.column not in table else _rows_words(claim.rows)
        raise ValueError(f"claims.{claim.name}: got {missing!r}, which no trial of this study has")
    values = chosen[claim.column].to_numpy(float)
    limits, match = np.full(len(values), np.nan), ""
    if claim.below:
        limits, match = _matched(claim, table, chosen), _rows_words(claim.below)
        if np.isnan(limits).all():
            raise ValueError(f"claims.{claim.name}: below {match}: no trial has a match there that finished")
    agrees = _agrees(claim, values, limits)
    status = CONFIRMED if agrees.mean() >= claim.share else NOT_CONFIRMED
    return Finding(
        claim=claim,
        status=status,
        found=f"{int(agrees.sum())} of {len(agrees)} trials; {_summary(values, limits, match)}",
        agreeing=int(agrees.sum()),
        trials=len(agrees),
    )


def _agrees(claim: Claim, values: np.ndarray, limits: np.ndarray) -> np.ndarray:
    agrees = np.isfinite(values)
    if claim.at_most is not None:
        agrees &= values <= claim.at_most
    if claim.at_least is not None:
        agrees &= values >= claim.at_least
    return agrees & (values < limits) if claim.below else agrees


def _mask(claim: Claim, rows: Rows, table: pd.DataFrame) -> np.ndarray:
    mask = np.ones(len(table), dtype=bool)
    for name, wanted in rows.items():
        column = name if name in _PLAIN else f"hp_{name}"
        if column not in table:
            raise ValueError(f"claims.{claim.name}: got {name!r}, which no trial of this study has")
        mask &= table[column].isin(wanted if isinstance(wanted, tuple) else (wanted,)).to_numpy()
    return mask


def _matched(claim: Claim, table: pd.DataFrame, chosen: pd.DataFrame) -> np.ndarray:
    """For each chosen trial the column of its match, NaN without one."""
    # Rates are a method's own: pairs are by problem, budget and seed.
    free = {"hp_lr", *(name if name in _PLAIN else f"hp_{name}" for name in claim.below)}
    free |= {"hp_batch_size"} if claim.below.get("selection") == "full" else set()
    keys = [name for name in map(str, table) if name.startswith("hp_") and name not in free | {"hp_other"}]
    keys += [_SEED] + (["arm"] if "arm" not in free else [])
    others = table[_mask(claim, claim.below, table)]
    limits = {
        _key(row): float(value)
        for row, value in zip(others[keys].to_numpy(object), others[claim.column], strict=True)
    }
    return np.array([limits.get(_key(row), np.nan) for row in chosen[keys].to_numpy(object)])


def _key(row: np.ndarray) -> tuple[object, ...]:
    return tuple(None if value != value else value for value in row)


def _summary(values: np.ndarray, limits: np.ndarray, match: str) -> str:
    told = f"{_number(np.nanmin(values))} to {_number(np.nanmax(values))}, median {_number(np.nanmedian(values))}"
    if match:
        told += f"; there median {_number(np.nanmedian(limits))}"
    return told if np.isfinite(values).any() else "none finished"


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "\N{MINUS SIGN}")


def _rows_words(rows: Rows) -> str:
    parts = [
        f"{name} {', '.join(map(str, value)) if isinstance(value, tuple) else value}"
        for name, value in rows.items()
    ]
    return "; ".join(parts) or "all"
