"""Which loss to use, and what another choice can cost: multiple comparisons with the best.

A loss is judged by its expected test score where validation of one seed chooses its setting and another seed scores
it (`statistics.scores.pairs_of_seeds`). The score and what it is compared with come from seeds that did not choose,
so no loss gains by having many settings to choose from. The regret of a loss is the expected score of the best loss
minus its own.
"""

import math
from dataclasses import dataclass

from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.selection import DECIMALS


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A loss with the setting that validation of all seeds chooses, or with its default setting."""

    loss: str
    variant: int  # index into the variants of the loss
    cell: int  # index into the cells of the variant; `selection.NONE` where validation is known of none
    agreeing: int  # number of seeds that alone choose this setting, by itself or among equal ones
    validation: float  # the mean of the values by which seeds choose among losses
    score: float  # expected test score, estimated; among equal settings each seed chooses with equal chances
    regret: Estimate  # expected score of the best candidate minus this one's, from 0
    may_be_best: bool  # whether the records do not exclude that it is the best candidate
    gain: Estimate | None = None  # of tuning it, where the setting is the default


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """What validation chooses among the candidates, and what that choice is worth.

    Of candidates that validation rates equal, the first one of the study is named.

    The score is that of the choice that validation of one seed makes among all losses and settings, as other seeds
    score it. So it contains no luck of the chosen loss. All seeds together choose the candidate that is named.
    """

    candidates: tuple[Candidate, ...]  # the chosen one first, then by their scores
    score: Estimate
    seeds: int  # those in common, or of each loss where none are
    error: float  # chance that any regret is larger than its interval says; also that a best candidate is excluded
    reason: str = ""  # why there are no intervals, and so no choice is supported
    paired: bool = True  # by seed; False where each loss has seeds of its own

    @property
    def chosen(self) -> Candidate:
        """The candidate that validation of all seeds chooses."""
        return self.candidates[0]

    @property
    def regret(self) -> Estimate:
        """Of the chosen candidate."""
        return self.chosen.regret

    @property
    def equals(self) -> tuple[Candidate, ...]:
        """The other candidates that validation rates as high as the chosen one."""
        return tuple(each for each in self.candidates[1:] if each.validation == self.chosen.validation)

    @property
    def higher(self) -> Candidate | None:
        """The candidate with the highest test score, where that is not the chosen one's."""
        best = max(self.candidates, key=lambda each: round(known(each.score), DECIMALS))
        return best if round(known(best.score) - known(self.chosen.score), DECIMALS) > 0 else None

    @property
    def rivals(self) -> tuple[Candidate, ...]:
        """The other candidates that may be the best."""
        return tuple(each for each in self.candidates[1:] if each.may_be_best)

    @property
    def is_clear(self) -> bool:
        """Whether the chosen candidate alone may be the best."""
        return not self.reason and self.chosen.may_be_best and not self.rivals


def known(value: float) -> float:
    """A value to sort by: the lowest where it is not known."""
    return value if math.isfinite(value) else -math.inf
