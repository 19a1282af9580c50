"""The README's tables of losses and kernels, generated from their declarations."""

from trainables.kernels import KERNELS
from trainables.loss_field import LossField
from trainables.loss_fields import LOSS_CARDS


def loss_table() -> str:
    """Two Markdown tables: all losses with formula, fields, defaults, ranges and source, and the kernels of `kcl`."""
    rows = [
        [f"`{name}`", f"`{card.formula}`", "<br>".join(map(_describe, card.fields)), card.source]
        for name, card in LOSS_CARDS.items()
    ]
    kernels = [
        [
            f"`{name}`",
            f"`{kernel.formula}`",
            f"`t` = {kernel.parameter.default}: {kernel.parameter.allowed}; {kernel.parameter.doc}",
            kernel.acts_as.larger,
            kernel.source,
        ]
        for name, kernel in KERNELS.items()
    ]
    return (
        _table(["loss", "formula", "fields: default, range", "source"], rows)
        + "\n"
        + _table(
            [
                "kernel of `kcl`",
                "formula, d the distance",
                "`t`: default, range",
                "a larger `t` acts as a",
                "source",
            ],
            kernels,
        )
    )


def _describe(field: LossField) -> str:
    return f"`{field.name}` = {field.default}: {field.allowed}; {field.doc}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    # A bar inside a cell would start a new cell.
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
