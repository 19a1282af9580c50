"""The claims of a study file, converted for the analysis and checked before any trial runs."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.spec.claim_section import ClaimSection
from study.spec.schema import StudySpec
from study.spec.section import number_words
from study.spec.tasks.protocol import StudyTask
from trainables.store.schema import TrialRecord, column_range, is_text_column
from trainables.suggestion import did_you_mean

if TYPE_CHECKING:
    from analysis.model.claims import Claim


def claims_of(spec: StudySpec) -> tuple["Claim", ...]:
    """The claims that a study makes."""
    from analysis.model.claims import Claim  # imports pandas

    return tuple(Claim(**claim.model_dump()) for claim in spec.claims)


def check_claims(spec: StudySpec, planned: Sequence[Mapping[str, Any]]) -> None:
    """Raise `StudyError` for a claim about columns or values that no planned trial has.

    `planned` comes from `expand.planned_rows`.
    """
    import pandas as pd

    from analysis.model.claims import check_claim

    rows, columns = pd.DataFrame(planned), {field.name for field in dataclasses.fields(TrialRecord)}
    try:
        for claim in claims_of(spec):
            check_claim(claim, rows, columns)
    except ValueError as error:
        raise StudyError(str(error)) from error


def check_columns(spec: StudySpec, task: StudyTask) -> None:
    """Raise `StudyError` for a claim on a column that no trial has a number in, or with an impossible value of it.

    This needs no trials, so it also checks the claims of a search.
    """
    for claim in (each for each in spec.claims if not each.untestable):
        where, columns = f"claims.{claim.name}", {field.name for field in dataclasses.fields(TrialRecord)}
        if claim.column not in columns:
            near = did_you_mean(claim.column, columns)
            raise StudyError(f"{where}: got {claim.column!r}{near}, which no trial of this study has")
        if reason := "which is a text" if is_text_column(claim.column) else task.lacks(claim.column):
            raise StudyError(f"{where}.column: got {claim.column!r}, {reason}")
        if claim.expected is not None and spec.search.chosen.adaptive:
            raise StudyError(
                f"{where}.expected: is held against the seeds of one configuration, and search.design = "
                f"{spec.search.design} chooses configurations while the study runs"
            )
        _check_values(claim)


def _check_values(claim: ClaimSection) -> None:
    """Raise `StudyError` for a value outside the range of its column, or a spread that runs in it cannot have."""
    if (within := column_range(claim.column)) is None:
        return
    low, high = within
    is_share, where = within == (0.0, 1.0), f"claims.{claim.name}"
    for key in ("at_most", "at_least", "expected"):
        value = getattr(claim, key)
        if value is None or low <= value <= high:
            continue
        bound = f"at least {low:g}" if value < low else f"at most {number_words(high)}"
        said = f"from {low:g} to {high:g}, {_share_words(claim.column, value)}" if is_share else bound
        raise StudyError(f"{where}.{key}: got {value:g}, must be {said}")
    if not is_share or claim.expected is None or claim.spread is None or not claim.runs:
        return
    # n values from 0 to 1 with this mean have no larger standard deviation (Bhatia and Davis 2000, Am. Math. Monthly
    # 107, 353-357). A mean of 0 or 1 may be a rounded one.
    most = math.sqrt(claim.expected * (1 - claim.expected) * claim.runs / (claim.runs - 1)) or 1.0
    if claim.spread > most:
        raise StudyError(
            f"{where}.spread: got {claim.spread:g}, must be at most {most:.3g}, as {claim.runs} runs with this mean "
            f"cannot vary more, {_share_words(claim.column, claim.spread)}"
        )


def _share_words(column: str, value: float) -> str:
    """That the values of a column are shares, with the share of a value that was meant in percent."""
    example = f" ({value / 100:.6g} for {value:g} %)" if 0 < value <= 100 else ""
    return f"because {column} is a share{example}"
