"""The README's table of losses, made from their cards."""

from trainables.loss_fields import KERNEL_PARAMETERS, LOSS_CARDS, LossField


def loss_table() -> str:
    """Markdown: every loss with formula, fields, defaults, ranges and source, then the kernels of `kcl`."""
    rows = [
        [f"`{name}`", f"`{card.formula}`", "<br>".join(map(_describe, card.fields)), card.source]
        for name, card in LOSS_CARDS.items()
    ]
    kernels = [
        [f"`{name}`", f"`{parameter.doc}`", parameter.allowed]
        for name, parameter in KERNEL_PARAMETERS.items()
    ]
    return (
        _table(["loss", "formula", "fields: default, range", "source"], rows)
        + "\n"
        + _table(["kernel of `kcl`", "formula, d the distance", "`t`"], kernels)
    )


def _describe(field: LossField) -> str:
    return f"`{field.name}` = {field.default}: {field.allowed}; {field.doc}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    # a bar inside a cell would start a new one
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
