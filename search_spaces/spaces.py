"""What may vary for each loss by default, and where every number comes from.

Reviewed knowledge, hence Python: the main axis of each loss with its default and range, and the base learning
rate at which it trains. Temperature and kernel scale are not commensurate, so every main axis spans the same
log-width, a factor of eight to either side of its default. For KCL's gaussian kernel `exp(-t d^2)` equals
`exp(u.v / T)` up to a constant factor at `T = 1 / (2 t)`, and the two default ranges match point by point.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from search_spaces.axes import Range
from trainables.config import Scalar

_HALF_WIDTH = 8.0
_POINTS = 5

_TEMPERATURE_SOURCE = (
    "middle of the grids in print on a log scale (0.07 to 2 and 0.1 to 0.5); the range covers them"
)
_KERNEL_SOURCE = "default of the kernel contrastive loss's released code (t = 2)"

#: The sweep behind the base rates: its rows, and the command that made them.
RATES_EVIDENCE = "search_spaces/evidence/digits_learning_rates.csv"
_RATES_SOURCE = f"best mean validation accuracy of the sweep in {RATES_EVIDENCE}"


@dataclass(frozen=True, kw_only=True)
class LossSpace:
    """Defaults of one loss. `main_axis` is the field that studies sweep when they say nothing else.

    `holds_for` names the values of other fields that the range and the rate were made for.
    """

    main_axis: str
    default: float
    source: str
    base_lr: float
    lr_source: str
    holds_for: Mapping[str, Scalar] = field(default_factory=dict)

    def covers(self, chosen: Mapping[str, Sequence[Scalar]]) -> bool:
        """Whether the given values of fields, defaults apart, are those that the range was made for."""
        return all(set(chosen.get(name, (value,))) == {value} for name, value in self.holds_for.items())

    @property
    def scope(self) -> str:
        """What range and rate were made for, in words: "kernel = gaussian, gamma = 16.0"."""
        return ", ".join(f"{name} = {value}" for name, value in self.holds_for.items())

    def range(self) -> Range:
        """The default values of the main axis."""
        return Range(log=(self.default / _HALF_WIDTH, self.default * _HALF_WIDTH), points=_POINTS)


def _temperature(base_lr: float, lr_source: str = _RATES_SOURCE, **holds_for: Scalar) -> LossSpace:
    return LossSpace(
        main_axis="temperature",
        default=0.25,
        source=_TEMPERATURE_SOURCE,
        base_lr=base_lr,
        lr_source=lr_source,
        holds_for=holds_for,
    )


SPACES: dict[str, LossSpace] = {
    "infonce": _temperature(base_lr=0.1, form="symmetric"),
    "ntxent": _temperature(base_lr=0.1),
    "dcl": _temperature(base_lr=0.1),
    "dhel": _temperature(base_lr=0.03, form="released", energy_weight=1.0),
    # One gradient with DCL, so one learning rate: anything else would break the null control.
    "flatnce": _temperature(base_lr=0.1, lr_source="inherited from dcl, whose gradient it shares"),
    "flatnce_plus": _temperature(base_lr=0.1, lr_source="inherited from ntxent, whose gradient it shares"),
    "kcl": LossSpace(
        main_axis="t",
        default=2.0,
        source=_KERNEL_SOURCE,
        base_lr=0.3,
        lr_source=_RATES_SOURCE,
        holds_for={"kernel": "gaussian", "gamma": 16.0},
    ),
}

#: Pairs of losses with one gradient: every study that has both gets a null control for free.
NULL_CONTROLS: tuple[tuple[str, str], ...] = (("flatnce", "dcl"), ("flatnce_plus", "ntxent"))
