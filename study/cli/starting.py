"""Commands before the first trial: what there is, a study file, a data set."""

import click

from study.cli.options import DATA_ROOT, JSON, STORE, guarded


@click.command()
@click.argument("path", default="study.toml")
@guarded
def init(path: str) -> None:
    """Write a commented study file to PATH (study.toml by default), which runs as it is."""
    from study.commands.init import write_template

    write_template(path)


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@click.option("--seeds", metavar="N,N", help="More seeds.")
@click.option(
    "--axis",
    "axes",
    multiple=True,
    metavar="NAME=V,V",
    help="More values of an axis: batch_size=512,1024, temperature=0.01 of all losses that vary it, or "
    "dhel.form=halved of one; may be given more than once.",
)
@click.option(
    "--loss",
    "losses",
    multiple=True,
    metavar="LABEL[=LOSS]",
    help="One more loss over its default range, or over what --axis LABEL.FIELD says; may be given more than once.",
)
@click.option(
    "--points", type=click.IntRange(min=1), help="Of designs that draw points: configurations a loss in all."
)
@click.option(
    "--trials", type=click.IntRange(min=1), help="Of designs that search: configurations a loss in all."
)
@click.option("--out", metavar="FILE", help="Write a new study that extends STUDY, and leave STUDY as it is.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@guarded
def extend(
    study: str,
    store: str,
    data_root: str | None,
    seeds: str | None,
    axes: tuple[str, ...],
    losses: tuple[str, ...],
    points: int | None,
    trials: int | None,
    out: str | None,
    dry_run: bool,
) -> None:
    """Add values, seeds, losses or points to STUDY, then show what would run: only what is new.

    The study's own file is edited: comments and layout stay, and the earlier text is kept beside it. The study
    goes on under its name, in its store, with one report over everything. With --out, STUDY stays as it is, and the
    new study shares its records.
    """
    from study.commands.extend import extend_study
    from study.spec.growth import parse_growth

    budget = {"points": points, "trials": trials}
    growth = parse_growth(seeds=seeds, axes=axes, losses=losses, budget=budget)
    extend_study(study, store, data_root, growth, out=out, dry_run=dry_run)


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


@click.command()
@click.option("--out", default="./demo", show_default=True, metavar="DIR", help="A new directory.")
@click.option(
    "--seeds", type=click.IntRange(min=1), default=5, show_default=True, help="Seeds a configuration."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the invented results."
)
@guarded
def demo(out: str, seeds: int, seed: int) -> None:
    """Write an invented study with known answers: its table as `study import` leaves it, exact scores, and reports.

    Nothing is trained: accuracies come from formulas. So it shows in about a minute what a report says, and how near
    its estimates come to the truth (answers.csv).
    """
    from study.commands.demo import write_demo

    write_demo(out, seeds=seeds, seed=seed)
