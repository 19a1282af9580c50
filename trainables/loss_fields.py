"""Every built-in loss with its formula, its source and its fields, as plain data.

Defaults and allowed ranges are defined here only. The loss classes check their values against them, study files and
search spaces are validated with them, and the README's table is generated from them. The module imports no torch, so
that a study can be checked without the seconds that torch takes to load.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trainables.kernels import KERNELS
from trainables.loss_field import LossField
from trainables.metrics.mutual_information import InformationBound
from trainables.suggestion import did_you_mean
from trainables.temperature import TEMPERATURE


def _no_check(_fields: Mapping[str, Any]) -> None:
    """Accepts every combination of values."""


def _unknown(_fields: Mapping[str, Any], _simplex: bool) -> bool:
    return False


def _always(_fields: Mapping[str, Any], _simplex: bool) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class LossCard:
    """The facts about a loss that do not need its code. `u_i`, `v_i` are the views of sample i, T is the temperature.

    `check` and `optimum_known` receive all fields, including fields with their default values.
    """

    title: str  # the loss's name in papers and figures
    formula: str
    source: str
    fields: tuple[LossField, ...]
    #: Raises `ValueError` for values that are each allowed, but not together.
    check: Callable[[Mapping[str, Any]], None] = _no_check
    #: Whether the regular simplex (True, for N <= d + 1) or the cross-polytope (False, for N = 2d) is known to
    #: minimise the loss of N pairs on the sphere; the proofs are in `trainables.sphere.known`.
    optimum_known: Callable[[Mapping[str, Any], bool], bool] = _unknown
    #: The estimate of the views' mutual information from the loss of a batch; None if the loss gives no estimate.
    information: InformationBound | None = None


#: The middle, on a log scale, of published grids (0.07 to 2, 0.1 to 0.5); SimCLR's own tables range from 0.05 to 1.
_TEMPERATURE = LossField(
    name="temperature",
    default=0.25,
    above=0.0,
    doc="T; value and gradient are finite from 0.005 to 10",
    acts_as=("", {"": TEMPERATURE}),
)

_CROSS = "sum_{j!=i} exp((v_j - v_i).u_i / T)"
_SAME = "sum_{j!=i} exp((u_j - v_i).u_i / T)"

_INFONCE_SOURCE = (
    "van den Oord et al. 2018, arXiv 1807.03748, section 2.3; Poole et al. 2019, arXiv 1905.06922"
)

#: With M pairs, an anchor must find its positive among the M points of the other view.
_INFONCE_BOUND = InformationBound(
    meaning="log M - L, a lower bound", candidates=lambda pairs: pairs, source=_INFONCE_SOURCE
)
#: With M pairs, an anchor must find its positive among all other points of both views.
_NTXENT_BOUND = InformationBound(
    meaning="log (2M - 1) - L, a lower bound", candidates=lambda pairs: 2 * pairs - 1, source=_INFONCE_SOURCE
)
#: `xi` is a sum over the 2M - 2 negatives alone. With the best critic, the estimate is at or above the mutual
#: information: it is the leave-one-out bound of Poole et al. plus `log(K / (K - 1))`, and `log K` does not limit it.
_FLATNCE_BOUND = InformationBound(
    meaning="log (2M - 1) - log xi, no lower bound",
    candidates=lambda pairs: 2 * pairs - 1,
    source="Chen et al. 2021, arXiv 2107.01152; Poole et al. 2019, arXiv 1905.06922",
)

#: Lowest temperature of `general` with phi = exp, by psi: exp(2/T), or its square, must stay within float32.
_EXP_LEAST_TEMPERATURE = {
    "log": 0.005,
    "log1p": 0.005,
    "square_log": 0.005,
    "identity": 0.03,
    "square": 0.08,
}

#: The sign that psi needs for its argument, and the sign that phi gives, as an index into `_SIGNS`. psi's level must
#: not exceed phi's.
_PSI_NEEDS = {"identity": 0, "square": 1, "log1p": 1, "log": 2, "square_log": 2}
_PHI_GIVES = {"linear": 0, "hinge": 1, "quadratic": 1, "exp": 2, "softplus": 2, "sigmoid": 2}
_SIGNS = ("any value", "values >= 0", "values > 0")

#: The pairs (phi, psi) of `general` for which F, the psi of a sum of phi's, is convex and increasing.
_CONVEX = {
    *(("exp", psi) for psi in ("log", "log1p", "identity", "square")),
    *((phi, "identity") for phi in ("linear", "softplus", "hinge")),
    *((phi, "square") for phi in ("softplus", "hinge")),
}


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


def _optimum_of_general(fields: Mapping[str, Any], simplex: bool) -> bool:
    phi, psi = fields["phi"], fields["psi"]
    return (phi, psi) in _CONVEX if simplex else phi == "exp" and psi in ("log", "log1p")


def _check_kcl(fields: Mapping[str, Any]) -> None:
    KERNELS[fields["kernel"]].parameter.check(fields["t"], condition=f" for kernel {fields['kernel']}")


def _optimum_of_kcl(fields: Mapping[str, Any], simplex: bool) -> bool:
    return KERNELS[fields["kernel"]].optimum_known(fields["t"], simplex)


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
        optimum_known=_always,
        information=_INFONCE_BOUND,
    ),
    "ntxent": LossCard(
        title="NT-Xent",
        formula=f"mean_i log(1 + {_CROSS} + {_SAME}), symmetrised",
        source="SimCLR, Chen et al. 2020, arXiv 2002.05709, equation 1",
        fields=(_TEMPERATURE,),
        optimum_known=_always,
        information=_NTXENT_BOUND,
    ),
    "dcl": LossCard(
        title="DCL",
        formula=f"mean_i log({_CROSS} + {_SAME}), symmetrised",
        source="Yeh et al. 2022, arXiv 2110.06848",
        fields=(_TEMPERATURE,),
        optimum_known=_always,
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
        optimum_known=_always,
    ),
    "flatnce": LossCard(
        title="FlatNCE",
        formula="xi / stop_grad(xi), xi the sum inside DCL's logarithm: DCL's gradient",
        source="Chen et al. 2021, arXiv 2107.01152",
        fields=(_TEMPERATURE,),
        optimum_known=_always,
        information=_FLATNCE_BOUND,
    ),
    "flatnce_plus": LossCard(
        title="FlatNCE-plus",
        formula="xi / stop_grad(xi), xi the sum inside NT-Xent's logarithm: NT-Xent's gradient",
        source="Chen et al. 2021, arXiv 2107.01152",
        fields=(_TEMPERATURE,),
        optimum_known=_always,
        information=_NTXENT_BOUND,
    ),
    "kcl": LossCard(
        title="KCL",
        formula="-2 mean_i K(u_i, v_i) + gamma (mean_{i<j} K(u_i, u_j) + mean_{i<j} K(v_i, v_j))",
        source="Koromilas et al. 2024, arXiv 2405.18045",
        fields=(
            LossField(name="kernel", default="gaussian", choices=tuple(KERNELS), doc="K"),
            LossField(
                name="t",
                default=2.0,
                doc="the kernel's parameter; its range depends on the kernel",
                label="kernel scale t",
                acts_as=("kernel", {name: kernel.acts_as for name, kernel in KERNELS.items()}),
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
        check=_check_kcl,
        optimum_known=_optimum_of_kcl,
    ),
    "general": LossCard(
        title="General form",
        formula="mean_i psi(c1 sum_{j!=i} phi((v_j - v_i).u_i / T) + c2 sum_{j!=i} phi((u_j - v_i).u_i / T)),"
        " symmetrised",
        source="Lee et al. 2025, arXiv 2506.09781",
        fields=(
            LossField(
                name="temperature",
                default=0.25,
                at_least=0.005,
                doc="T, scale of phi's argument",
                acts_as=("phi", {"exp": TEMPERATURE}),  # with another phi, T scales no exponential
            ),
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
        check=_check_general,
        optimum_known=_optimum_of_general,
    ),
}


def loss_fields(name: str) -> dict[str, LossField]:
    """The fields of a built-in loss by field name. Raises `ValueError` for a loss that is not built in."""
    if name not in LOSS_CARDS:
        raise ValueError(f"loss: got {name!r}, must be one of {', '.join(LOSS_CARDS)}, or module:Name")
    return {spec.name: spec for spec in LOSS_CARDS[name].fields}


def check_loss_params(name: str, params: Mapping[str, Any]) -> None:
    """Check the hyperparameters of a built-in loss, each alone and all together. Absent ones have their defaults.

    Raises `ValueError` with the field, its value and what is allowed.
    """
    fields = loss_fields(name)
    for key, value in params.items():
        if key not in fields:
            near = did_you_mean(key, fields)
            raise ValueError(f"{name}: got field {key!r}{near}, must be one of {', '.join(fields)}")
        fields[key].check(value)
    complete = {key: spec.default for key, spec in fields.items()} | dict(params)
    LOSS_CARDS[name].check(complete)
