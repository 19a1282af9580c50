"""Tables of results that other tools made: the options that map their columns, and how `study import` and
`study report --from` read them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from study.console import say_error, say_note
from study.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.info import StudyInfo
    from analysis.results.mapping import TableMapping

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


@dataclass(frozen=True, kw_only=True)
class ReadTable:
    """A table of results, what its columns mean, and the study that follows."""

    rows: "pd.DataFrame"  # as in the file
    mapping: "TableMapping"
    trials: "pd.DataFrame"  # one row per planned trial, with the columns of `analysis`
    info: "StudyInfo"


def mapping_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which column means what."""
    for option in reversed(_MAPPING):
        command = option(command)
    return command


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options of `mapping_options` that the user gave, as keys of a mapping."""
    values = {key: value for key, value in options.items() if value not in (None, (), False)}
    if values.pop("lower_is_better", False):
        values["higher_is_better"] = False
    return values


def check_table(path: str) -> None:
    """Raise `StudyError` where `path` does not exist, before callers import pandas, which takes seconds."""
    if "://" not in path and not Path(path).exists():
        raise StudyError(f"{path}: no such file")


def read_table(source: str, values: dict[str, Any]) -> "ReadTable":
    """Read a table or a folder of `study import`; `values` come from `given`. Raises `StudyError`."""
    from analysis.data_sets import data_sets
    from analysis.results.build import table_study
    from analysis.results.mapping import build_mapping, read_mapping

    try:
        rows, keys = _read_rows(source)
        file = values.get("mapping")
        keys |= read_mapping(Path(file)) if file else {}
        keys |= {key: value for key, value in values.items() if key != "mapping"}
        mapping = build_mapping({"name": Path(source).stem, **keys})
        trials, info = table_study(rows, mapping)
        data_sets(trials, info)
        return ReadTable(rows=rows, mapping=mapping, trials=trials, info=info)
    except ValueError as error:
        raise StudyError(str(error)) from error


def _read_rows(source: str) -> tuple["pd.DataFrame", dict[str, Any]]:
    """The rows, and the keys of the mapping that an imported folder holds."""
    from analysis.results.mapping import mapping_keys
    from analysis.results.read import is_imported, load_imported, read_rows

    if is_imported(source):
        rows, mapping = load_imported(source)
        return rows, mapping_keys(mapping)
    rows, faults = read_rows(source)
    for fault in faults:
        say_error(fault)
    return rows, {}


def say_meaning(table: "ReadTable") -> None:
    """Say on standard error which column means what, what may be in percent, and which trials have no row."""
    from analysis.results.columns import column_lines, resolved
    from analysis.results.metric import percent_hint

    rows, planned = table.rows, len(table.trials)
    lines = [*column_lines(rows, resolved(rows, table.mapping)), percent_hint(rows, table.info.metric)]
    if absent := planned - len(rows):
        lines.append(
            f"Absent: {absent} of {planned} trials have no row and count as not run yet; "
            "if no more were planned, say --complete"
        )
    for line in filter(None, lines):
        say_note(line)
