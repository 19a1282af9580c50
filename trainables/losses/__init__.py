"""The registry of losses by name, and the functions that find and build a loss.

To add a loss, write its file, add it to `LOSSES`, and add its card in `trainables.loss_fields`, a loop version in
`tests/reference` and its space in `search_spaces`. The contract tests fail with the name of each missing part.
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
from trainables.own_files import is_import_path

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
    """The class of a built-in loss, or of a user's own loss by import path (`my_package.my_module:MyLoss`).

    It is a dataclass. Raises `ValueError` for an unknown name, a wrong path, and an object in no form of a loss.
    """
    if name in LOSSES:
        return LOSSES[name]
    if is_import_path(name):
        return import_loss(name)
    raise ValueError(f"loss: got {name!r}, must be one of {', '.join(LOSSES)}, or module:Name")


def build_loss(name: str, **hyperparameters: Any) -> Any:
    """Build a loss by name or import path with the given fields; all other fields get their defaults.

    Call the result as `loss(z_a, z_b)` on unit-norm `(M, d)` views; it returns a scalar. Raises `ValueError` for an
    unknown loss or field, or a value outside the field's range.
    """
    loss = resolve_loss(name)
    names = [spec.name for spec in dataclasses.fields(loss)]
    for field in hyperparameters:
        if field not in names:
            raise ValueError(f"{name}: got field {field!r}, must be one of {', '.join(names)}")
    return loss(**hyperparameters)
