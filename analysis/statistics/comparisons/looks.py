"""Looks at a study as its seeds grow: how much error each look may use.

Whoever tests again after more seeds has a further chance to be wrong. All looks together use 5 %: the first complete
look at the planned seeds has 4 %, and all later looks up to 20 seeds share 1 % equally.
"""

from dataclasses import dataclass

#: Chance of any wrong decision at the first look, and at all later looks together.
FIRST, LATER = 0.04, 0.01
#: Number of seeds up to which later looks share their part. Looks beyond it decide nothing new.
MOST_SEEDS = 20
#: Why a look beyond it decides nothing.
NO_ERROR_LEFT = f"more than {MOST_SEEDS} seeds after an earlier look: no chance of error is left to use"


@dataclass(frozen=True, kw_only=True)
class Look:
    """A look at `seeds` seeds, of a study whose first complete look had `first` seeds."""

    first: int
    seeds: int

    @property
    def error(self) -> float:
        """The chance of any wrong decision that this look may use; 0 beyond `MOST_SEEDS`.

        Repeating the first look, or looking at fewer seeds than it had, uses the data of that look.
        """
        if self.seeds <= self.first:
            return FIRST
        return LATER / (MOST_SEEDS - self.first) if self.seeds <= MOST_SEEDS else 0.0
