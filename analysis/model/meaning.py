"""What the values of a hyperparameter mean: whether equal values, or equal temperatures, of two losses are paired."""

from dataclasses import dataclass

import numpy as np

LOWER_TEMPERATURE, HIGHER_TEMPERATURE = "lower temperature", "higher temperature"


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """Whose hyperparameter it is, and how it acts as a temperature T, as in `exp(u.v / T)`."""

    #: Whose hyperparameter it is, such as "kernel imq of kcl"; "" for a setting with one meaning in every loss.
    of: str = ""
    larger_acts_as: str = ""  # LOWER_TEMPERATURE, HIGHER_TEMPERATURE, or "" where unknown
    law: tuple[float, float] | None = (
        None  # (factor, power) of the equivalent temperature factor * value^power
    )

    @property
    def same_as(self) -> tuple[object, ...]:
        """Equal values of two hyperparameters of one name mean the same where this is equal."""
        return self.law or (self.of,)

    def temperatures(self, values: np.ndarray) -> np.ndarray:
        """The equivalent temperatures of values `(L,)` above 0. Raises `ValueError` without an equivalent."""
        if self.law is None:
            raise ValueError(f"{self.of}: has no equivalent temperature")
        factor, power = self.law
        return factor * values**power

    def formula(self, name: str) -> str:
        """The equivalent temperature in words, such as "T = 1/(2t)"; "" without an equivalent."""
        if self.law is None:
            return ""
        factor, power = self.law
        raised = name if abs(power) == 1 else f"{name}^{abs(power):g}"
        if power > 0:
            return f"T = {raised}" if factor == 1 else f"T = {factor:g} {raised}"
        return f"T = 1/{raised}" if factor == 1 else f"T = 1/({1 / factor:g}{raised})"


#: The meaning of a setting that every loss shares, such as batch size.
UNNAMED = Meaning()
#: The meaning of a column that holds temperatures.
TEMPERATURE = Meaning(larger_acts_as=HIGHER_TEMPERATURE, law=(1.0, 1.0))


def rows_by_temperature(meaning: Meaning, rows: int) -> np.ndarray:
    """The order `(rows,)` in which increasing values rise in temperature."""
    order = np.arange(rows)
    return order[::-1] if meaning.larger_acts_as == LOWER_TEMPERATURE else order
