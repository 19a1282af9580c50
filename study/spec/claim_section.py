"""The table `[[claims]]` of a study file. `study.spec.claims` checks it against the trials of the study."""

from typing import Annotated

from pydantic import Field, model_validator

from study.spec.section import Section
from trainables.config import Scalar

#: A text of a study file that reports show.
Line = Annotated[str, Field(max_length=10_000)]

ClaimRows = dict[str, Scalar | tuple[Scalar, ...]]


class ClaimSection(Section):
    """`[[claims]]`, one table for each claim: a statement of a paper that the report tests with the records."""

    name: Line = Field(description="Short name for the table of findings.")
    claim: Line = Field(description="The statement.")
    paper: Line = Field(description="The paper that makes the statement.")
    rows: ClaimRows = Field(
        default={},
        description="The trials that the claim is about: hyperparameters, or `arm` (a label of "
        "`[losses]`), and their values.",
    )
    column: str = Field(default="", description="The record column that is tested.")
    at_most: float | None = Field(default=None, description="Values up to this bound confirm the claim.")
    at_least: float | None = Field(default=None, description="Values from this bound on confirm the claim.")
    below: ClaimRows = Field(
        default={},
        description="Values below those of the trials that differ only in this confirm the claim, such as "
        '`{ selection = "shuffle" }`. Learning rates may differ too.',
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="The smallest share of the trials that must agree with the claim."
    )
    expected: float | None = Field(
        default=None,
        description="Instead of a bound: a published mean, in the unit of the column (accuracies as shares of 1). "
        "`rows` must then be the seeds of one configuration.",
    )
    spread: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="The standard deviation over the source's runs."
    )
    runs: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Runs of the source that `expected` is the mean of."
    )
    not_comparable: Line = Field(
        default="",
        description="Why the expected number and ours cannot be compared. The report shows both and decides nothing.",
    )
    figure: Line = Field(default="", description="The figure of the report that shows the claim.")
    untestable: Line = Field(
        default="", description="Instead of a test: why this study cannot test the claim."
    )

    @model_validator(mode="after")
    def _testable(self) -> "ClaimSection":
        tests = self.at_most is not None or self.at_least is not None or bool(self.below)
        decided = tests or self.expected is not None
        if self.untestable and decided:
            given = [
                key
                for key in ("column", "at_most", "at_least", "below", "expected")
                if getattr(self, key) not in (None, "", {})
            ]
            raise ValueError(f"claim {self.name}: untestable is given too; leave out {' and '.join(given)}")
        if not self.untestable and not (decided and self.column):
            raise ValueError(
                f"claim {self.name} needs a column and one of at_most, at_least, below and expected, or else "
                "untestable"
            )
        if self.expected is not None and (tests or self.share < 1):
            raise ValueError(
                f"claim {self.name}: expected is a test of its own; leave out at_most, at_least, below and share"
            )
        for key in ("spread", "runs", "not_comparable"):
            if getattr(self, key) not in (None, "") and self.expected is None:
                raise ValueError(f"claim {self.name}: {key} needs expected")
        if self.spread is not None and (self.runs or 0) < 2:
            raise ValueError(f"claim {self.name}: spread needs runs of at least 2")
        return self
