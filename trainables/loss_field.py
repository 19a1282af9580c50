"""The declaration of one hyperparameter of a loss or a kernel. Imports no torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trainables.suggestion import did_you_mean
from trainables.temperature import ActsAs


@dataclass(frozen=True, kw_only=True)
class LossField:
    """One hyperparameter: a number in a range, or one of `choices`.

    `above` is an exclusive lower bound, `at_least` and `at_most` are inclusive; `nonzero` excludes 0.
    """

    name: str
    default: float | str
    doc: str
    choices: tuple[str, ...] = ()
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    nonzero: bool = False
    label: str = ""  # the name in figures and tables; "": made from `name`
    #: How the field acts as a temperature, by the value of the field of choices that decides this; the name of that
    #: field is "", and so is the value, where none decides. A value that is absent here acts as no temperature.
    acts_as: tuple[str, Mapping[str, ActsAs]] = field(default=("", {}))

    @property
    def type(self) -> type:
        """`str` for choices, `float` for numbers."""
        return str if self.choices else float

    @property
    def allowed(self) -> str:
        """The accepted values in words, such as "a finite number > 0"."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        bounds = [
            f"{sign} {bound:g}"
            for sign, bound in ((">", self.above), (">=", self.at_least), ("<=", self.at_most))
            if bound is not None
        ]
        if self.nonzero:
            bounds.append("not 0")
        return f"a finite number {' and '.join(bounds)}".strip()

    def check(self, value: Any, *, condition: str = "") -> None:
        """Raise `ValueError` if the value is not allowed.

        The message has the field, the value, what is allowed, and the `condition` under which this rule applies. A
        tensor or array has one value per stacked trial, and each of its elements is checked.
        """
        elements = value.tolist() if hasattr(value, "tolist") else [value]
        for element in elements if isinstance(elements, list) else [elements]:
            if not self._accepts(element):
                near = did_you_mean(str(element), self.choices)
                raise ValueError(f"{self.name}: got {element!r}{near}, must be {self.allowed}{condition}")

    def _accepts(self, value: Any) -> bool:
        if self.choices:
            return isinstance(value, str) and value in self.choices
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return False
        return (
            (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
            and not (self.nonzero and value == 0)
        )
