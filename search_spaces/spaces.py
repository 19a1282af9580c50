"""The default search space of each loss, and the source of every number.

The spaces are Python and not data files, because they are reviewed. Each has the main axis of a loss with its default
and range, and the loss's base learning rate. Temperature and kernel scale are not commensurate, so every main axis
spans the same log-width: a factor of eight to each side of its default.

KCL's gaussian kernel `exp(-t d^2)` equals `exp(u.v / T)` up to a constant factor at `T = 1 / (2 t)`, and the two
default ranges match point by point. Each kernel has its own range: the scale of the squared distance spans a factor
of 64. This scale is `t` in `log(1 + t d^2)`, but `1 / t^2` in the inverse multiquadric `t / sqrt(t^2 + d^2)`, so
there `t` spans a factor of 8. The Riesz kernels have no default range, because their `t` is an exponent and not a
scale.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from search_spaces.axes import Range
from trainables.config import Scalar

_HALF_WIDTH = 8.0
_POINTS = 5

_TEMPERATURE_SOURCE = (
    "middle of the grids in print on a log scale (0.07 to 2, 0.1 to 0.5); the range covers them"
)
_KERNEL_SOURCE = "default of the kernel contrastive loss's released code (t = 2, whatever the kernel)"

#: The sweep that gave the base rates, and the rule by which `search_spaces.rates` computes them from its rows.
_RATES_SOURCE = (
    "vertex of the parabola through mean validation accuracy over log rate, in the sweep recorded in "
    "search_spaces/evidence/digits_learning_rates.csv"
)


@dataclass(frozen=True)
class Scope:
    """The field values for which a default number is valid. The number does not depend on other fields."""

    values: Mapping[str, Scalar] = field(default_factory=dict)

    def covers(self, chosen: Mapping[str, Sequence[Scalar]]) -> bool:
        """Whether the chosen values of these fields are the ones in scope. A field that is not given is in scope."""
        return all(set(chosen.get(name, (value,))) == {value} for name, value in self.values.items())

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value}" for name, value in self.values.items())


@dataclass(frozen=True, kw_only=True)
class LossSpace:
    """Defaults of one loss. `main_axis` is the field that studies sweep by default."""

    main_axis: str
    default: float
    source: str
    base_lr: float
    lr_source: str = _RATES_SOURCE
    rate_scope: Scope = field(default_factory=Scope)
    range_field: str = ""  # field whose value determines the main axis's range; "" if there is one range
    half_widths: Mapping[str, float] = field(default_factory=lambda: {"": _HALF_WIDTH})  # by that value

    def range(self, case: str = "", *, points: int | None = _POINTS) -> Range:
        """The default range of the main axis if `range_field` has the value `case`, by default the first value.

        Raises `KeyError` if there is no default range for that value.
        """
        half_width = self.half_widths[case or next(iter(self.half_widths))]
        return Range(log=(self.default / half_width, self.default * half_width), points=points)


def _temperature(base_lr: float, lr_source: str = _RATES_SOURCE, **rate_scope: Scalar) -> LossSpace:
    return LossSpace(
        main_axis="temperature",
        default=0.25,
        source=_TEMPERATURE_SOURCE,
        base_lr=base_lr,
        lr_source=lr_source,
        rate_scope=Scope(rate_scope),
    )


SPACES: dict[str, LossSpace] = {
    "infonce": _temperature(0.11, form="symmetric"),
    "ntxent": _temperature(0.1),
    "dcl": _temperature(0.093),
    "dhel": _temperature(0.086, form="released", energy_weight=1.0),
    # FlatNCE has the same gradient as DCL, so it needs the same learning rate. Another rate would break the null
    # control.
    "flatnce": _temperature(0.093, "inherited from dcl, whose gradient it shares"),
    "flatnce_plus": _temperature(0.1, "inherited from ntxent, whose gradient it shares"),
    "kcl": LossSpace(
        main_axis="t",
        default=2.0,
        source=_KERNEL_SOURCE,
        base_lr=0.16,
        range_field="kernel",
        half_widths={"gaussian": _HALF_WIDTH, "log": _HALF_WIDTH, "imq": math.sqrt(_HALF_WIDTH)},
        rate_scope=Scope({"kernel": "gaussian", "gamma": 16.0}),
    ),
}

#: The setting in which the base rates were tuned. Other settings use the same rates, and the report says so.
TUNED_ON = {"data": "digits", "encoder": "small_conv", "optimizer": "sgd", "lr_rule": "sqrt"}

#: Pairs of losses with the same gradient. Every study with both losses of a pair gets a null control for free.
NULL_CONTROLS: tuple[tuple[str, str], ...] = (("flatnce", "dcl"), ("flatnce_plus", "ntxent"))
