"""The losses by name.

To add one: its file, a line here, its card in `trainables.loss_fields`, a loop version in `tests/reference`
and its space in `search_spaces`; the contract tests name what is missing.
"""

import dataclasses
from typing import Any

from trainables.losses.dcl import DCL
from trainables.losses.dhel import DHEL
from trainables.losses.flatnce import FlatNCE
from trainables.losses.flatnce_plus import FlatNCEPlus
from trainables.losses.general import General
from trainables.losses.infonce import InfoNCE
from trainables.losses.kcl import KCL
from trainables.losses.ntxent import NTXent
from trainables.losses.own_loss import import_loss

LOSSES: dict[str, type] = {
    "infonce": InfoNCE,
    "ntxent": NTXent,
    "dcl": DCL,
    "dhel": DHEL,
    "flatnce": FlatNCE,
    "flatnce_plus": FlatNCEPlus,
    "kcl": KCL,
    "general": General,
}


def resolve_loss(name: str) -> type:
    """The class of a built-in loss, or of a user's own by import path (`my_package.my_module:MyLoss`).

    Raises `ValueError` for an unknown name, a wrong path, or a class that is no dataclass with a call.
    """
    if name in LOSSES:
        return LOSSES[name]
    if ":" in name:
        return import_loss(name)
    raise ValueError(f"loss: got {name!r}, must be one of {', '.join(LOSSES)}, or module:Class")


def build_loss(name: str, **hyperparameters: Any) -> Any:
    """A loss by name or import path with the given fields; the others take their defaults.

    The result is called as `loss(z_a, z_b)` on unit-norm `(M, d)` views and returns a scalar. Raises
    `ValueError` for an unknown loss or field, or a value outside the field's range.
    """
    loss = resolve_loss(name)
    names = [spec.name for spec in dataclasses.fields(loss)]
    for field in hyperparameters:
        if field not in names:
            raise ValueError(f"{name}: got field {field!r}, must be one of {', '.join(names)}")
    return loss(**hyperparameters)
