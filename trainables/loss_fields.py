"""Every loss with its formula, its source and its fields, as plain data.

The one place where defaults and allowed ranges stand: the loss classes check themselves against it, study
files and search spaces are validated with it, the README's table is made from it. It imports no torch, so
that a study can be checked without the seconds that torch takes to load.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainables.suggestion import did_you_mean


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
    label: str = ""  # in figures and tables; the name in words without

    @property
    def type(self) -> type:
        """`str` for choices, `float` for numbers."""
        return str if self.choices else float

    @property
    def allowed(self) -> str:
        """What the field accepts, in words: "a finite number > 0"."""
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
        """Raises `ValueError` naming the field, the value, what is allowed, and the `condition` it holds
        under.

        A tensor or array stands for one value per stacked trial: each of its elements is checked.
        """
        elements = value.tolist() if hasattr(value, "tolist") else [value]
        for element in elements if isinstance(elements, list) else [elements]:
            if not self._accepts(element):
                raise ValueError(f"{self.name}: got {element!r}, must be {self.allowed}{condition}")

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


@dataclass(frozen=True, kw_only=True)
class LossCard:
    """What is known of a loss without running it; `u_i`, `v_i` are views of sample i, T the temperature."""

    title: str  # as papers and figures write it
    formula: str
    source: str
    fields: tuple[LossField, ...]


#: The middle of the grids in print on a log scale (0.07 to 2, 0.1 to 0.5); SimCLR's own tables run from 0.05 to 1.
_TEMPERATURE = LossField(
    name="temperature", default=0.25, above=0.0, doc="T; value and gradient are finite from 0.005 to 10"
)

_CROSS = "sum_{j!=i} exp((v_j - v_i).u_i / T)"
_SAME = "sum_{j!=i} exp((u_j - v_i).u_i / T)"

#: KCL's `t` for each kernel, with the range in which value and gradient stay finite and right in float32.
KERNEL_PARAMETERS: dict[str, LossField] = {
    "gaussian": LossField(name="t", default=2.0, above=0.0, at_most=1e4, doc="K = exp(-t d^2)"),
    "log": LossField(name="t", default=2.0, at_least=1e-3, at_most=1e6, doc="K = -1/2 log(1 + t d^2)"),
    "imq": LossField(name="t", default=2.0, at_least=0.01, at_most=100.0, doc="K = t / sqrt(t^2 + d^2)"),
    "riesz": LossField(
        name="t",
        default=2.0,
        at_least=-4.0,
        at_most=4.0,
        nonzero=True,
        doc="K = sign(t) d^-t; a pole for t > 0",
    ),
    "gaussian_riesz": LossField(
        name="t",
        default=2.0,
        at_least=-4.0,
        at_most=4.0,
        nonzero=True,
        doc="energy sign(t) d^-t, alignment exp(-2 d^2)",
    ),
}

#: Least temperature of `general` with phi = exp: exp(2/T), or its square, has to stay within float32.
_EXP_LEAST_TEMPERATURE = {
    "log": 0.005,
    "log1p": 0.005,
    "square_log": 0.005,
    "identity": 0.03,
    "square": 0.08,
}

#: What psi needs of its argument, and phi gives: psi's level must not exceed phi's.
_PSI_NEEDS = {"identity": 0, "square": 1, "log1p": 1, "log": 2, "square_log": 2}
_PHI_GIVES = {"linear": 0, "hinge": 1, "quadratic": 1, "exp": 2, "softplus": 2, "sigmoid": 2}
_SIGNS = ("any value", "values >= 0", "values > 0")

#: Every built-in loss by name.
LOSS_CARDS: dict[str, LossCard] = {
    "infonce": LossCard(
        title="InfoNCE",
        formula=f"mean_i log(1 + {_CROSS}), symmetrised or one-sided",
        source="van den Oord et al. 2018, arXiv 1807.03748; cross-view form of Radford et al. 2021",
        fields=(
            _TEMPERATURE,
            LossField(
                name="form",
                default="symmetric",
                choices=("symmetric", "one_sided"),
                doc="anchors in both views, or in the first view only",
            ),
        ),
    ),
    "ntxent": LossCard(
        title="NT-Xent",
        formula=f"mean_i log(1 + {_CROSS} + {_SAME}), symmetrised",
        source="SimCLR, Chen et al. 2020, arXiv 2002.05709, equation 1",
        fields=(_TEMPERATURE,),
    ),
    "dcl": LossCard(
        title="DCL",
        formula=f"mean_i log({_CROSS} + {_SAME}), symmetrised",
        source="Yeh et al. 2022, arXiv 2110.06848",
        fields=(_TEMPERATURE,),
    ),
    "dhel": LossCard(
        title="DHEL",
        formula="mean_i [-u_i.v_i / T + w (lse_{j!=i}(u_i.u_j / T) + lse_{j!=i}(v_i.v_j / T))]",
        source="Koromilas et al. 2024, arXiv 2405.18045; halved form: Lee et al. 2025, arXiv 2506.09781",
        fields=(
            _TEMPERATURE,
            LossField(
                name="form",
                default="released",
                choices=("released", "halved", "one_view"),
                doc="both energies (the authors' code), their mean, or the first view's only",
            ),
            LossField(
                name="energy_weight",
                default=1.0,
                at_least=0.0,
                at_most=1e6,
                doc="w, energy against alignment",
            ),
        ),
    ),
    "flatnce": LossCard(
        title="FlatNCE",
        formula="xi / stop_grad(xi), xi the sum inside DCL's logarithm: DCL's gradient",
        source="Chen et al. 2021, arXiv 2107.01152",
        fields=(_TEMPERATURE,),
    ),
    "flatnce_plus": LossCard(
        title="FlatNCE-plus",
        formula="xi / stop_grad(xi), xi the sum inside NT-Xent's logarithm: NT-Xent's gradient",
        source="Chen et al. 2021, arXiv 2107.01152",
        fields=(_TEMPERATURE,),
    ),
    "kcl": LossCard(
        title="KCL",
        formula="-2 mean_i K(u_i, v_i) + gamma (mean_{i<j} K(u_i, u_j) + mean_{i<j} K(v_i, v_j))",
        source="Koromilas et al. 2024, arXiv 2405.18045",
        fields=(
            LossField(name="kernel", default="gaussian", choices=tuple(KERNEL_PARAMETERS), doc="K"),
            LossField(
                name="t",
                default=2.0,
                doc="the kernel's parameter; its range depends on the kernel",
                label="kernel scale t",
            ),
            LossField(
                name="gamma",
                default=16.0,
                at_least=0.0,
                at_most=1e6,
                doc="weight of the energy",
                label="energy weight gamma",
            ),
        ),
    ),
    "general": LossCard(
        title="General form",
        formula="mean_i psi(c1 sum_{j!=i} phi((v_j - v_i).u_i / T) + c2 sum_{j!=i} phi((u_j - v_i).u_i / T)),"
        " symmetrised",
        source="Lee et al. 2025, arXiv 2506.09781",
        fields=(
            LossField(name="temperature", default=0.25, at_least=0.005, doc="T, scale of phi's argument"),
            LossField(name="phi", default="exp", choices=tuple(_PHI_GIVES), doc="penalty of one negative"),
            LossField(name="psi", default="log1p", choices=tuple(_PSI_NEEDS), doc="outer function"),
            LossField(
                name="c1",
                default=1.0,
                at_least=0.0,
                at_most=100.0,
                doc="weight of the other view's negatives",
            ),
            LossField(
                name="c2", default=1.0, at_least=0.0, at_most=100.0, doc="weight of the own view's negatives"
            ),
        ),
    ),
}


def loss_fields(name: str) -> dict[str, LossField]:
    """The fields of a built-in loss by name. Raises `ValueError` for a loss that is not built in."""
    if name not in LOSS_CARDS:
        raise ValueError(f"loss: got {name!r}, must be one of {', '.join(LOSS_CARDS)}, or module:Class")
    return {spec.name: spec for spec in LOSS_CARDS[name].fields}


def check_loss_params(name: str, params: Mapping[str, Any]) -> None:
    """Check hyperparameters of a built-in loss, each alone and together; absent ones take their defaults.

    Raises `ValueError` naming the field, what came and what is allowed.
    """
    fields = loss_fields(name)
    for key, value in params.items():
        if key not in fields:
            near = did_you_mean(key, fields)
            raise ValueError(f"{name}: got field {key!r}{near}, must be one of {', '.join(fields)}")
        fields[key].check(value)
    complete = {key: spec.default for key, spec in fields.items()} | dict(params)
    if name == "kcl":
        kernel = complete["kernel"]
        KERNEL_PARAMETERS[kernel].check(complete["t"], condition=f" for kernel {kernel}")
    if name == "general":
        _check_general(complete)


def _check_general(params: Mapping[str, Any]) -> None:
    phi, psi = params["phi"], params["psi"]
    if _PSI_NEEDS[psi] > _PHI_GIVES[phi]:
        needed = _SIGNS[_PSI_NEEDS[psi]]
        raise ValueError(
            f"phi: got {phi!r}, must give {needed} for psi {psi}, but gives {_SIGNS[_PHI_GIVES[phi]]}"
        )
    if phi == "exp":
        least = LossField(name="temperature", default=0.25, at_least=_EXP_LEAST_TEMPERATURE[psi], doc="")
        least.check(params["temperature"], condition=f" for phi exp and psi {psi}")
    weights = LossField(name="c1 + c2", default=1.0, above=0.0, doc="")
    weights.check(params["c1"] + params["c2"])
