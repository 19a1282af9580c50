"""Claims of papers, declared before a study runs, and how its records decide them."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.model.published import Published, difference, sample_of
from analysis.statistics.intervals.student import Estimate
from analysis.wording import counted

CONFIRMED, NOT_CONFIRMED, NOT_TESTABLE, OPEN = (
    "confirmed",
    "not confirmed",
    "not testable here",
    "open: trials are missing",
)

#: Results of a claim with an expected number.
WITHIN_NOISE, OFF, NOT_COMPARABLE = "within seed noise", "off", "not comparable"

#: All results, in the order of reports.
STATUSES = (CONFIRMED, WITHIN_NOISE, NOT_CONFIRMED, OFF, NOT_COMPARABLE, NOT_TESTABLE, OPEN)

#: Results in sentences, where these have other words.
STATUS_WORDS = {OFF: "off by more", OPEN: "open, as trials are missing"}

Value = bool | int | float | str
Rows = Mapping[str, Value | tuple[Value, ...]]

#: Column that distinguishes trials with equal hyperparameters.
_SEED = "seed"

#: Index of a match that does not exist.
_NO_MATCH = -1

#: Columns other than hyperparameters that `rows` may name.
_PLAIN = ("arm", "ideal")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement about `column` of the trials in `rows`, with what confirms it.

    The value of each trial must be at most `at_most`, at least `at_least`, or less than that of its match: the trial
    that differs from it only in the columns of `below`. At least `share` of the trials must agree. A claim that
    cannot be tested gives the reason in `untestable`.

    A claim with an `expected` number is a published result instead: `rows` are the seeds of one configuration, and
    their mean is held against it (`analysis.model.published`).
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
    expected: float | None = None  # the published mean, in the unit of the column
    spread: float | None = None  # the standard deviation over the source's runs; None where it gives none
    runs: int | None = None  # runs of the source; None where it does not say
    not_comparable: str = ""  # why the two numbers cannot be compared
    figure: str = ""  # name of the report's figure on this claim
    untestable: str = ""

    @property
    def number(self) -> Published | None:
        """The published number; None for a statement."""
        if self.expected is None:
            return None
        return Published(column=self.column, value=self.expected, spread=self.spread, runs=self.runs)

    @property
    def confirmed_by(self) -> str:
        """What would confirm the claim, with the tolerance, or the published number that it is held against."""
        if self.untestable:
            return "–"
        if self.number:
            return f"{_shown_rows(self.rows)}: {self.column} {self.number.words}"
        many = "every trial" if self.share == 1 else f"at least {100 * self.share:g} % of the trials"
        bounds = [
            f"{words} {_signed(f'{bound:g}')}"
            for words, bound in (("at most", self.at_most), ("at least", self.at_least))
            if bound is not None
        ]
        told = " and ".join(bounds) or f"less than at {_shown_rows(self.below)}"
        return f"{many} of {_shown_rows(self.rows)}: {self.column} {told}"


@dataclass(frozen=True, kw_only=True)
class ClaimResult:
    """The result of one claim."""

    claim: Claim
    status: str
    found: str  # in words, with numbers
    agreeing: int = 0
    trials: int = 0
    gap: Estimate | None = None  # our mean minus the expected number, where both are known
    reason: str = ""  # why the two numbers are not comparable

    @property
    def finding(self) -> str:
        """The result for readers: the status, for a published number with the difference or the reason."""
        if self.reason:
            return f"{self.status} because {self.reason}"
        if self.status not in (WITHIN_NOISE, OFF) or not (self.claim.number and self.gap):
            return self.status
        words = self.claim.number.gap_words(self.gap)
        return f"{self.status} by {words}" if self.status == OFF else f"{self.status}: {words}"


def check_claim(claim: Claim, planned: pd.DataFrame, columns: Collection[str]) -> None:
    """Refuses a claim on trials or columns that do not exist.

    `planned` has one row for each trial, and records have `columns`. Raises `ValueError` for unknown rows or an
    unknown column, and where no trial has a match to compare with.
    """
    if claim.untestable:
        return
    if claim.column not in columns:
        near = _near(claim.column, columns)
        raise ValueError(f"claims.{claim.name}: got {claim.column!r}{near}, which no trial of this study has")
    chosen = np.flatnonzero(_mask(claim, claim.rows, planned))
    if not len(chosen):
        raise ValueError(
            f"claims.{claim.name}: got {_rows_words(claim.rows)!r}, which no trial of this study has"
        )
    if claim.number and "config_id" in planned:
        configurations = planned["config_id"].iloc[chosen].nunique()
        if configurations > 1 and not claim.rows:
            raise ValueError(
                f"claims.{claim.name}.rows: is missing; it must choose one configuration of {configurations}, whose "
                "seeds the expected number is held against"
            )
        if configurations > 1:
            raise ValueError(
                f"claims.{claim.name}: got {_rows_words(claim.rows)!r}, which are {configurations} configurations; "
                "an expected number is held against the seeds of one"
            )
    if claim.below and (_matches(claim, planned, chosen) == _NO_MATCH).all():
        raise ValueError(f"claims.{claim.name}: below {_rows_words(claim.below)}: no trial has a match there")


def _near(name: str, known: Iterable[str]) -> str:
    """A suggestion of the most similar known name; "" if no name is similar."""
    near = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def judge(claim: Claim, table: pd.DataFrame) -> ClaimResult:
    """Decides a claim from the trials of a table (`analysis.model.table`). A failed trial never agrees.

    A trial whose match is missing or did not finish does not agree either. Raises `ValueError` as `check_claim` does.
    """
    if claim.untestable:
        return ClaimResult(claim=claim, status=NOT_TESTABLE, found=claim.untestable)
    check_claim(claim, table, table.columns)
    chosen = np.flatnonzero(_mask(claim, claim.rows, table))
    if claim.number:
        return _held_against(claim, claim.number, table.iloc[chosen])
    matches = _matches(claim, table, chosen) if claim.below else np.full(len(chosen), _NO_MATCH)
    needed = np.union1d(chosen, matches[matches != _NO_MATCH])
    if to_run := int(table["status"].isna().to_numpy()[needed].sum()):
        return ClaimResult(claim=claim, status=OPEN, found=f"{to_run} trials have not run")
    column = table[claim.column].to_numpy(float)
    values, limits = column[chosen], np.where(matches == _NO_MATCH, np.nan, column[matches])
    agrees = _agrees(claim, values, limits)
    return ClaimResult(
        claim=claim,
        status=CONFIRMED if agrees.mean() >= claim.share else NOT_CONFIRMED,
        found=f"{int(agrees.sum())} of {len(agrees)} trials; {_summary(claim, values, limits)}",
        agreeing=int(agrees.sum()),
        trials=len(agrees),
    )


def _held_against(claim: Claim, number: Published, rows: pd.DataFrame) -> ClaimResult:
    """The mean of the rows, which are the seeds of one configuration, beside a published number.

    With a failed trial, or one without a value, they do not compare: the mean of the others is that of a selection.
    """
    ended = rows["status"] == "ok"
    ours = sample_of(rows.loc[ended, claim.column].to_numpy(float))
    gap = difference(ours, number.sample) if ours.count else None
    to_run = int(rows["status"].isna().sum())
    failed = len(rows) - to_run - int(ended.sum())
    without = int(ended.sum()) - ours.count
    of_all = f"of {counted(len(rows), 'trial')}"
    left_out = [
        f"{failed} {of_all} failed" if failed else "",
        f"{without} {of_all} {'has' if without == 1 else 'have'} no value in {claim.column}"
        if without
        else "",
    ]
    reasons = [
        claim.not_comparable.rstrip("."),
        *left_out,
        gap.note if gap else "",
    ]
    reason = "" if to_run else "; ".join(filter(None, reasons))
    if to_run:
        status = OPEN
    elif reason or gap is None:
        status = NOT_COMPARABLE
    else:
        status = WITHIN_NOISE if gap.low <= 0 <= gap.high else OFF
    parts = [
        f"{counted(to_run, 'trial')} without a result yet" if to_run else "",
        *(f"{words}, and the mean is without them" for words in left_out if words),
        number.beside(ours, gap),
    ]
    return ClaimResult(
        claim=claim,
        status=status,
        found="; ".join(filter(None, parts)),
        agreeing=ours.count if status == WITHIN_NOISE else 0,
        trials=len(rows),
        gap=gap,
        reason=reason,
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
            known = [str(each).removeprefix("hp_") for each in table if str(each).startswith("hp_")]
            near = _near(name, [*_PLAIN, *known])
            raise ValueError(f"claims.{claim.name}: got {name!r}{near}, which no trial of this study has")
        mask &= table[column].isin(wanted if isinstance(wanted, tuple) else (wanted,)).to_numpy()
    return mask


def _matches(claim: Claim, table: pd.DataFrame, chosen: np.ndarray) -> np.ndarray:
    """For each chosen trial, the index of its match in the table, or `_NO_MATCH`."""
    # each method has its learning rate, so pairs agree in problem, budget and seed only
    free = {"hp_lr", *(name if name in _PLAIN else f"hp_{name}" for name in claim.below)}
    free |= {"hp_batch_size"} if claim.below.get("selection") == "full" else set()
    keys = [name for name in map(str, table) if name.startswith("hp_") and name not in free | {"hp_other"}]
    keys += [_SEED] + (["arm"] if "arm" not in free else [])
    rows = table[keys].to_numpy(object)
    places = {_key(rows[place]): place for place in np.flatnonzero(_mask(claim, claim.below, table))}
    return np.array([places.get(_key(row), _NO_MATCH) for row in rows[chosen]])


def _key(row: np.ndarray) -> tuple[object, ...]:
    return tuple(None if value != value else value for value in row)


def _summary(claim: Claim, values: np.ndarray, limits: np.ndarray) -> str:
    if not np.isfinite(values).any():
        return "none has a value"
    low, high, middle = (_number(measure(values), claim) for measure in (np.nanmin, np.nanmax, np.nanmedian))
    told = f"{low} to {high}, median {middle}"
    return f"{told}; there median {_number(np.nanmedian(limits))}" if np.isfinite(limits).any() else told


def _number(value: float, claim: Claim | None = None) -> str:
    """A number with two digits, or with as many as show on which side of the claim's bounds it lies."""
    bounds = [bound for bound in (claim.at_most, claim.at_least) if bound is not None] if claim else []
    for digits in range(2, 17):
        text = f"{value:.{digits}g}"
        if all(np.sign(float(text) - bound) == np.sign(value - bound) for bound in bounds):
            return _signed(text)
    return _signed(repr(float(value)))


def _signed(text: str) -> str:
    """A number with a true minus sign."""
    return text.replace("-", "\N{MINUS SIGN}")


def _shown_rows(rows: Rows) -> str:
    """Rows in words for readers, who know an arm as a loss."""
    return _rows_words({"loss" if name == "arm" else name: value for name, value in rows.items()})


def _rows_words(rows: Rows) -> str:
    parts = [
        f"{name} {', '.join(map(_word, value)) if isinstance(value, tuple) else _word(value)}"
        for name, value in rows.items()
    ]
    return "; ".join(parts) or "all"


def _word(value: Value) -> str:
    return value if isinstance(value, str) else _signed(str(value))
