"""Commands before the first trial: what there is, a study file, a data set."""

import click

from study.cli.options import DATA_ROOT, JSON, guarded


@click.command()
@click.argument("path", default="study.toml")
@guarded
def init(path: str) -> None:
    """Write a commented study file to PATH (study.toml by default), which runs as it is."""
    from study.commands.init import write_template

    write_template(path)


@click.command("list")
@click.argument(
    "what",
    type=click.Choice(["studies", "losses", "data", "encoders", "keys", "all"]),
    default="all",
    required=False,
)
def list_(what: str) -> None:
    """List what ships with the package: studies, losses with their spaces, data sets, encoders.

    `keys` are those of a study file, with types, defaults and meanings.
    """
    from study.commands.listing import show_listing

    show_listing(what)


@click.command()
@click.argument("name")
@DATA_ROOT
@click.option("--download", is_flag=True, help="Fetch it into the data root first, where it is not there.")
@click.option("--size", type=click.IntRange(min=1), help="Pixels that images are fitted to, as data.size.")
@JSON
@guarded
def data(name: str, data_root: str | None, download: bool, size: int | None, as_json: bool) -> None:
    """Check the data set NAME (see `study list data`): images, bytes, classes and checksum.

    Every image is decoded once, into a cache that all trials share: $STUDY_CACHE_ROOT, or by default
    ~/.cache/contrastive-robustness.
    """
    from study.commands.data import show_data

    show_data(name, data_root, size=size, download=download, as_json=as_json)
