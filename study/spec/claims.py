"""The claims of a study file, converted for the analysis and checked before any trial runs."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.spec.schema import StudySpec
from trainables.store.schema import TrialRecord

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
