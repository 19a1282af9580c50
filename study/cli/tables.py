"""Commands and options for tables of results that other tools made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from study.cli.options import guarded
from study.errors import StudyError

_MAPPING = (
    click.option("--mapping", metavar="FILE", help="TOML file with these options as keys."),
    click.option("--metric", metavar="COLUMN", help="What is reported, such as test accuracy."),
    click.option("--selects", metavar="COLUMN", help="What chooses configurations.  [default: --metric]"),
    click.option("--loss", metavar="COLUMN", help="Names of the losses compared.  [default: loss]"),
    click.option("--seed", metavar="COLUMN", help="Seeds.  [default: seed]"),
    click.option(
        "--status",
        metavar="COLUMN",
        help="ok, diverged, crashed, oom, timeout, pruned, or missing for what was planned and did not run yet.  "
        "[default: status, if there]",
    ),
    click.option(
        "--data",
        metavar="COLUMN",
        help="Data sets, where there are several.  [default: data or dataset, if there]",
    ),
    click.option(
        "--axis",
        "axes",
        metavar="COLUMN",
        multiple=True,
        help="A hyperparameter; may be given more than once.  [default: all that vary]",
    ),
    click.option(
        "--describes",
        metavar="COLUMN",
        multiple=True,
        help="A metric of the representation, such as its uniformity; may be given more than once. Those named z_* "
        "and h_* are.",
    ),
    click.option("--x", metavar="COLUMN", help="Hyperparameter along x.  [default: batch size]"),
    click.option("--main", metavar="COLUMN", help="Hyperparameter along y.  [default: that of most values]"),
    click.option("--lower-is-better", is_flag=True, help="The metric is a loss or an error."),
    click.option("--percent", is_flag=True, help="The metric is in percent."),
    click.option("--worst", type=float, metavar="VALUE", help="What a failed trial counts as."),
    click.option("--tolerance", type=float, metavar="VALUE", help="Difference that counts as near the best."),
    click.option(
        "--complete",
        is_flag=True,
        help="No more trials were planned than the table has rows of. Otherwise absent seeds of a configuration, and "
        "absent places of a grid, count as not run yet.",
    ),
    click.option("--reference", metavar="LOSS", help="The loss that others are compared with."),
)


def mapping_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that say which column means what, collected in the argument `mapping_values`."""
    for option in reversed(_MAPPING):
        command = option(command)
    return command


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options of `mapping_options` that were given, as keys of a mapping."""
    values = {key: value for key, value in options.items() if value not in (None, (), False)}
    if values.pop("lower_is_better", False):
        values["higher_is_better"] = False
    return values


def check_table(path: str) -> None:
    """Raises `StudyError` where nothing is, before what reads tables is imported, which takes seconds."""
    if "://" not in path and not Path(path).exists():
        raise StudyError(f"{path}: no such file")


@click.command("import")
@click.argument("table", type=click.Path())
@click.option(
    "--out", required=True, metavar="FOLDER", help="Where the checked table goes; made when absent."
)
@mapping_options
@guarded
def import_(table: str, out: str, **options: Any) -> None:
    """Check a table of results, CSV or Parquet, and keep it with the meaning of its columns.

    One row a trial: a loss, a seed, hyperparameters and metrics. `study report --from FOLDER` then writes its report.

    A loss is taken to be planned at each of its configurations on each of its seeds, and at all combinations of its
    values where at least half of them occur. Rows that this leaves open count as not run yet, unless --complete is
    given; a row may also say so itself, by the status missing.
    """
    check_table(table)
    from study.commands.tables import import_table

    import_table(table, out, given(options))
