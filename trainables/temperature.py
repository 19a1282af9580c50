"""How a hyperparameter of a loss or a kernel acts as a temperature. Imports no torch.

The temperature T is that of `exp(u.v / T)`. On the unit sphere `u.v = 1 - d^2 / 2`. So the force `|dK / d(d^2)|` from
a point at distance d is proportional to `exp(-d^2 / (2T))`. It falls with `d^2` at the same relative rate `1 / (2T)`
at every distance. For any kernel, this rate defines a local temperature:

    T(d) = -1 / (2 r(d)),   r(d) = d log|dK / d(d^2)| / d(d^2).

A low temperature concentrates the force on near points. A kernel has an equivalent temperature if its local
temperature is the same at every distance. Otherwise it has only an orientation: the direction in which its local
temperature moves.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trainables.suggestion import shortened


@dataclass(frozen=True, kw_only=True)
class TemperatureLaw:
    """The equivalent temperature `T = factor value^power` of a value. `factor` is above 0, `power` is not 0."""

    factor: float
    power: float

    def at(self, value: float) -> float:
        """The equivalent temperature of a value above 0."""
        return self.factor * value**self.power


@dataclass(frozen=True, kw_only=True)
class ActsAs:
    """The effect of a hyperparameter as a temperature."""

    larger: Literal["higher temperature", "lower temperature"]
    law: TemperatureLaw | None  # None if there is no equivalent temperature
    why: str  # the derivation: of the law, or of the orientation and of the absence of a law

    def __post_init__(self) -> None:
        if self.law and (self.law.power > 0) != (self.larger == "higher temperature"):
            raise ValueError(f"acts_as: got {self.larger} and the power {self.law.power}, which disagree")


#: A loss's own temperature.
TEMPERATURE = ActsAs(
    larger="higher temperature",
    law=TemperatureLaw(factor=1.0, power=1.0),
    why="it is the T of exp(u.v / T)",
)

#: The attribute of a user's own loss that declares equivalent temperatures.
OWN_TEMPERATURE = "equivalent_temperature"


def declared_laws(loss: Any, names: tuple[str, ...]) -> dict[str, TemperatureLaw]:
    """The equivalent temperatures that a user's own loss declares, by hyperparameter; `names` are all of them.

    The attribute `equivalent_temperature` is a table such as `{"scale": (0.5, -1.0)}` for T = 0.5 / scale. Raises
    `ValueError` in one line for anything else.
    """
    declared = getattr(loss, OWN_TEMPERATURE, {})
    if not isinstance(declared, Mapping):
        raise ValueError(
            f"{OWN_TEMPERATURE}: got {shortened(declared)}, must be a table such as {{'scale': (0.5, -1.0)}}"
        )
    for name, law in declared.items():
        if name not in names:
            raise ValueError(f"{OWN_TEMPERATURE}: got {name!r}, must be one of {', '.join(names) or 'none'}")
        if not _is_law(law):
            raise ValueError(
                f"{OWN_TEMPERATURE}.{name}: got {shortened(law)}, must be a pair (factor, power) of finite numbers "
                "with factor > 0 and power not 0, for T = factor * value^power"
            )
    return {name: TemperatureLaw(factor=float(law[0]), power=float(law[1])) for name, law in declared.items()}


def _is_law(law: Any) -> bool:
    if not isinstance(law, tuple | list) or len(law) != 2:
        return False
    if any(isinstance(item, bool) or not isinstance(item, int | float) for item in law):
        return False
    return all(math.isfinite(item) for item in law) and law[0] > 0 and law[1] != 0
