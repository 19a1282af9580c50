"""What `study list` shows."""

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from search_spaces.spaces import SPACES
from study.spec import load_spec, shipped_studies
from trainables.datasets.catalogue import DATASETS
from trainables.encoders.catalogue import ENCODERS
from trainables.loss_fields import LOSS_CARDS


def show_listing(what: str) -> None:
    """Print one of the tables, or all of them."""
    tables: dict[str, Callable[[], Table]] = {
        "studies": _studies,
        "losses": _losses,
        "data": _data,
        "encoders": _encoders,
    }
    console = Console(highlight=False)
    for name in tables if what == "all" else [what]:
        console.print(tables[name]())


def _studies() -> Table:
    table = Table("name", "what it does", title="Studies", title_justify="left", box=None)
    for name in shipped_studies():
        table.add_row(name, load_spec(name).spec.description)
    return table


def _losses() -> Table:
    table = Table("name", title="Losses", title_justify="left", box=None)
    for column in ("swept by default", "base lr"):
        table.add_column(column, no_wrap=True)
    table.add_column("all fields, with their defaults")
    for name, card in LOSS_CARDS.items():
        fields = ", ".join(f"{field.name} = {field.default}" for field in card.fields)
        space = SPACES.get(name)
        if space:
            low, high = space.range().ends
            table.add_row(name, f"{space.main_axis} {low:g} to {high:g}", f"{space.base_lr:g}", fields)
        else:
            table.add_row(name, "say in the study", "the same", fields)
    return table


def _data() -> Table:
    table = Table("name", "what it is", title="Data sets", title_justify="left", box=None)
    for entry in DATASETS.values():
        table.add_row(entry.form, entry.summary)
    return table


def _encoders() -> Table:
    table = Table("name", title="Encoders", title_justify="left", box=None)
    for name in (*ENCODERS, "my_package.nets:MyNet, an import path of your own"):
        table.add_row(name)
    return table
