"""The losses as their papers write them: loops over anchors and negatives, in plain operations.

Each takes views `(M, d)` and every field of the loss, and returns one value an anchor, `(M,)`.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from tests.reference.kernels import LOOP_KERNELS

Scalar = Callable[[Tensor], Tensor]


def _general(u: Tensor, v: Tensor, phi: Scalar, psi: Scalar, c1: float, c2: float) -> Tensor:
    """Of anchor i: `psi(c1 sum_{j!=i} phi((v_j - v_i).u_i) + c2 sum_{j!=i} phi((u_j - v_i).u_i))`."""
    values = []
    for i in range(len(u)):
        total = torch.zeros((), dtype=u.dtype)
        for j in range(len(u)):
            if j == i:
                continue
            if c1:
                total = total + c1 * phi((v[j] - v[i]) @ u[i])
            if c2:
                total = total + c2 * phi((u[j] - v[i]) @ u[i])
        values.append(psi(total))
    return torch.stack(values)


def _symmetrised(u: Tensor, v: Tensor, phi: Scalar, psi: Scalar, c1: float, c2: float) -> Tensor:
    return (_general(u, v, phi, psi, c1, c2) + _general(v, u, phi, psi, c1, c2)) / 2


def infonce(z_a: Tensor, z_b: Tensor, *, temperature: float, form: str) -> Tensor:
    make = _symmetrised if form == "symmetric" else _general
    return make(z_a, z_b, lambda x: torch.exp(x / temperature), lambda s: torch.log(1 + s), 1.0, 0.0)


def ntxent(z_a: Tensor, z_b: Tensor, *, temperature: float) -> Tensor:
    return _symmetrised(z_a, z_b, lambda x: torch.exp(x / temperature), lambda s: torch.log(1 + s), 1.0, 1.0)


def dcl(z_a: Tensor, z_b: Tensor, *, temperature: float) -> Tensor:
    return _symmetrised(z_a, z_b, lambda x: torch.exp(x / temperature), torch.log, 1.0, 1.0)


def dhel(z_a: Tensor, z_b: Tensor, *, temperature: float, form: str, energy_weight: float) -> Tensor:
    values = []
    for i in range(len(z_a)):
        energies = []
        for z in (z_a, z_b):
            terms = [torch.exp(z[i] @ z[j] / temperature) for j in range(len(z)) if j != i]
            energies.append(torch.log(sum(terms, torch.zeros((), dtype=z.dtype))))
        energy = {
            "released": energies[0] + energies[1],
            "halved": (energies[0] + energies[1]) / 2,
            "one_view": energies[0],
        }[form]
        values.append(-z_a[i] @ z_b[i] / temperature + energy_weight * energy)
    return torch.stack(values)


def _flat(u: Tensor, v: Tensor, temperature: float, psi: Scalar) -> Tensor:
    """`xi / stop_grad(xi)` of each anchor, mean of both directions."""

    def ratio(xi: Tensor) -> Tensor:
        return psi(xi) / psi(xi).detach()

    return _symmetrised(u, v, lambda x: torch.exp(x / temperature), ratio, 1.0, 1.0)


def flatnce(z_a: Tensor, z_b: Tensor, *, temperature: float) -> Tensor:
    return _flat(z_a, z_b, temperature, lambda s: s)


def flatnce_plus(z_a: Tensor, z_b: Tensor, *, temperature: float) -> Tensor:
    return _flat(z_a, z_b, temperature, lambda s: 1 + s)


def kcl(z_a: Tensor, z_b: Tensor, *, kernel: str, t: float, gamma: float) -> Tensor:
    align, repel = LOOP_KERNELS[kernel]
    pairs = len(z_a)
    values = []
    for i in range(pairs):
        energy = torch.zeros((), dtype=z_a.dtype)
        for z in (z_a, z_b):
            for j in range(pairs):
                if j != i:
                    energy = energy + repel(z[i], z[j], t) / (pairs - 1)
        values.append(-2 * align(z_a[i], z_b[i], t) + gamma * energy)
    return torch.stack(values)


_PHI: dict[str, Scalar] = {
    "exp": torch.exp,
    "linear": lambda x: x,
    "softplus": lambda x: torch.log(1 + torch.exp(x)),
    "hinge": lambda x: torch.clamp(1 + x, min=0),
    "quadratic": lambda x: (1 + x) ** 2,
    "sigmoid": lambda x: 1 / (1 + torch.exp(-x)),
}
_PSI: dict[str, Scalar] = {
    "identity": lambda s: s,
    "square": lambda s: s**2,
    "log": torch.log,
    "log1p": lambda s: torch.log(1 + s),
    "square_log": lambda s: torch.log(s) ** 2,
}


def general(
    z_a: Tensor,
    z_b: Tensor,
    *,
    temperature: float,
    phi: str,
    psi: str,
    c1: float,
    c2: float,
) -> Tensor:
    return _symmetrised(z_a, z_b, lambda x: _PHI[phi](x / temperature), _PSI[psi], c1, c2)


LOOP_LOSSES: dict[str, Callable[..., Tensor]] = {
    "infonce": infonce,
    "ntxent": ntxent,
    "dcl": dcl,
    "dhel": dhel,
    "flatnce": flatnce,
    "flatnce_plus": flatnce_plus,
    "kcl": kcl,
    "general": general,
}
