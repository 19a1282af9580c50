"""`study list`: lists what the package has by name, such as studies and losses, and the keys of a study file."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from rich.table import Table

from study.console import CONSOLE, literal

if TYPE_CHECKING:
    from search_spaces.spaces import LossSpace


@click.command("list")
@click.argument(
    "what",
    type=click.Choice(["studies", "losses", "data", "encoders", "views", "keys", "all"]),
    default="all",
    required=False,
)
def command(what: str) -> None:
    """List the studies, losses, data sets, encoders and views of the package.

    Losses are listed with their default spaces. `keys` lists the keys of a study file, with types, defaults and
    meanings.
    """
    tables: dict[str, Callable[[], Table]] = {
        "studies": _studies,
        "losses": _losses,
        "data": _data,
        "encoders": _encoders,
        "views": _views,
    }
    if what == "keys":
        CONSOLE.print(_keys())
        return
    for name in tables if what == "all" else [what]:
        CONSOLE.print(tables[name]())


def _keys() -> Table:
    from study.spec.reference import key_tables

    table = Table(
        "key", "type", "default", "meaning", title="Keys of a study file", title_justify="left", box=None
    )
    for group in key_tables():
        table.add_section()
        table.add_row(literal(group.title, "bold"), "", "", literal(group.meaning, "bold"))
        for key in group.keys:
            table.add_row(key.name, key.type, key.default, key.meaning)
    return table


def _studies() -> Table:
    from study.spec.load import load_spec
    from study.spec.source import laboratory_studies, published_studies

    table = Table("name", "what it does", title="Studies", title_justify="left", box=None)
    for name in laboratory_studies():
        table.add_row(name, load_spec(name).spec.description)
    table.add_section()
    table.add_row(
        literal("published protocols", "bold"), "they need data and a GPU: docs/published_protocols.md"
    )
    for name in published_studies():
        table.add_row(name, load_spec(name).spec.description)
    return table


def _losses() -> Table:
    from search_spaces.spaces import SPACES
    from trainables.loss_fields import LOSS_CARDS

    table = Table("name", title="Losses", title_justify="left", box=None)
    table.caption = (
        "Your own, by import path such as my_package.losses:my_loss: a function f(z_a, z_b, temperature=0.5), a "
        "class of torch.nn.Module, or a dataclass. See docs/extending.md."
    )
    table.caption_justify = "left"
    for column in ("swept by default", "base lr"):
        table.add_column(column, no_wrap=True)
    table.add_column("all fields, with their defaults")
    for name, card in LOSS_CARDS.items():
        fields = ", ".join(f"{field.name} = {field.default}" for field in card.fields)
        space = SPACES.get(name)
        if space:
            table.add_row(name, _ranges(space), f"{space.base_lr:g}", fields)
        else:
            table.add_row(name, "give it in the study", "the same", fields)
    return table


def _ranges(space: "LossSpace") -> str:
    """The default range of a loss, or one range per line if it depends on another field."""
    ends = {case: space.range(case).ends for case in space.half_widths}
    lines = [f"{case + ': ' if case else ''}{low:g} to {high:g}" for case, (low, high) in ends.items()]
    return f"{space.main_axis} " + "\n  ".join(lines)


def _data() -> Table:
    from trainables.datasets.datasets import DATASETS

    table = Table("name", "what it is", title="Data sets", title_justify="left", box=None)
    for entry in DATASETS.values():
        table.add_row(entry.form, entry.summary)
    return table


def _encoders() -> Table:
    from trainables.encoders.encoders import ENCODERS

    table = Table("name", title="Encoders", title_justify="left", box=None)
    for name in (*ENCODERS, "my_package.nets:MyNet, an import path of your own"):
        table.add_row(name)
    return table


def _views() -> Table:
    from trainables.views.recipes import VIEWS, fields_text

    table = Table("name", "fields", title="Views", title_justify="left", box=None)
    table.caption = (
        'A study changes fields by a table: `views = { base = "cifar", grey_probability = 0.1 }`. '
        "`study list keys` explains them."
    )
    table.caption_justify = "left"
    for name, recipe in VIEWS.items():
        table.add_row(name, fields_text(recipe))
    return table
