"""Configurations of every loss, and embeddings of every awkward kind, for the tests of this folder."""

from typing import Any

import torch
from torch import Tensor

Configuration = tuple[str, dict[str, Any]]

#: The InfoNCE family: one entry a variant.
FAMILY: list[Configuration] = [
    ("infonce", {}),
    ("infonce", {"form": "one_sided", "temperature": 0.2}),
    ("ntxent", {"temperature": 0.2}),
    ("dcl", {"temperature": 0.2}),
    ("dhel", {}),
    ("dhel", {"form": "halved", "temperature": 0.2}),
    ("dhel", {"form": "one_view"}),
    ("dhel", {"energy_weight": 0.3}),
    ("flatnce", {"temperature": 0.2}),
    ("flatnce_plus", {}),
]

KERNELS: list[Configuration] = [
    ("kcl", {}),
    ("kcl", {"kernel": "log", "t": 5.0}),
    ("kcl", {"kernel": "imq", "t": 0.3, "gamma": 2.0}),
    ("kcl", {"kernel": "riesz", "t": 1.0}),
    ("kcl", {"kernel": "riesz", "t": -0.5}),
    ("kcl", {"kernel": "riesz", "t": -2.0}),
    ("kcl", {"kernel": "gaussian_riesz", "t": 2.0}),
]

GENERAL: list[Configuration] = [
    ("general", {}),
    ("general", {"phi": "softplus", "psi": "log", "c1": 0.0}),
    ("general", {"phi": "sigmoid", "psi": "square_log", "c2": 0.5}),
    ("general", {"phi": "quadratic", "psi": "square", "temperature": 1.0}),
    ("general", {"phi": "hinge", "psi": "log1p"}),
    ("general", {"phi": "linear", "psi": "identity", "c1": 0.3}),
]

ALL = FAMILY + KERNELS + GENERAL


def name_of(configuration: Configuration) -> str:
    """A test id: "dhel-form=halved"."""
    name, fields = configuration
    return "-".join([name, *(f"{key}={value}" for key, value in fields.items())])


def unit(z: Tensor) -> Tensor:
    return torch.nn.functional.normalize(z, dim=-1)


def views(kind: str, pairs: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Unit-norm views `(pairs, d)` in float64, of the given kind."""
    generator = torch.Generator().manual_seed(seed)

    def draw() -> Tensor:
        return unit(torch.randn(pairs, d, generator=generator, dtype=torch.float64))

    z_a, z_b = draw(), draw()
    if kind == "close":
        z_b = unit(z_a + 0.1 * z_b)
    elif kind == "duplicated":
        z_a[1], z_b[1] = z_a[0], z_b[0]
    elif kind == "antipodal":
        z_a[1], z_b = -z_a[0], -z_a
    elif kind == "collapsed":
        z_a = z_a[:1].repeat(pairs, 1)
        z_b = z_a.clone()
    return z_a, z_b


KINDS = ["random", "close", "duplicated", "antipodal", "collapsed"]
