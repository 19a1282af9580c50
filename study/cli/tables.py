"""Reads tables of results from other tools for `study import` and `study report --from`.

It also declares the options that map the columns of such tables.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from study.console import say_error, say_note, say_table
from study.errors import StudyError
from trainables.reading import TABLE_BYTES, check_regular
from trainables.suggestion import first_names, short_name

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.info import StudyInfo
    from analysis.tables.mapping import TableMapping

#: The column of data sets. `study recommend` has another use for `--data`.
_DATA_HELP = "The data sets, if there are several.  [default: data or dataset, if it exists]"

FROM_TABLE = click.option(
    "--from",
    "table",
    metavar="TABLE",
    help="Instead of STUDY, a table of results: CSV, Parquet, an imported folder, or a whole store.",
)

_MAPPING = (
    click.option("--mapping", metavar="FILE", help="TOML file with these options as keys."),
    click.option("--metric", metavar="COLUMN", help="The reported metric, such as test accuracy."),
    click.option(
        "--selects", metavar="COLUMN", help="The metric that chooses configurations.  [default: --metric]"
    ),
    click.option(
        "--loss",
        metavar="COLUMN",
        help="The names of the compared losses.  [default: a column with a usual name, such as loss or method]",
    ),
    click.option(
        "--seed", metavar="COLUMN", help="Seeds.  [default: a column with a usual name, such as seed]"
    ),
    click.option(
        "--status",
        metavar="COLUMN",
        help="ok, diverged, crashed, oom, timeout, pruned, or missing for planned trials that did not run yet; or "
        "words of other tools, such as FINISHED.  [default: status or state, if it exists]",
    ),
    click.option(
        "--axis",
        "axes",
        metavar="COLUMN",
        multiple=True,
        help="A hyperparameter; may be given more than once.  [default: found by name and by the design]",
    ),
    click.option(
        "--ignore",
        metavar="COLUMN",
        multiple=True,
        help="A column that is neither a hyperparameter nor anything else; may be given more than once.",
    ),
    click.option(
        "--describes",
        metavar="COLUMN",
        multiple=True,
        help="A metric of the representation, such as its uniformity; may be given more than once. Columns named z_* "
        "and h_* are always included.",
    ),
    click.option("--x", metavar="COLUMN", help="Hyperparameter along x.  [default: batch size]"),
    click.option(
        "--main", metavar="COLUMN", help="Hyperparameter along y.  [default: the one with most values]"
    ),
    click.option("--higher-is-better", is_flag=True, help="The metric is a score.  [default: by its name]"),
    click.option("--lower-is-better", is_flag=True, help="The metric is a loss or an error."),
    click.option(
        "--selects-higher-is-better", is_flag=True, help="So is that of --selects.  [default: by its name]"
    ),
    click.option("--selects-lower-is-better", is_flag=True, help="That of --selects is a loss or an error."),
    click.option(
        "--percent/--no-percent",
        default=None,
        help="The metric is in percent, or is not.  [default: by its name and values]",
    ),
    click.option("--worst", type=float, metavar="VALUE", help="The value of the metric for a failed trial."),
    click.option("--tolerance", type=float, metavar="VALUE", help="Difference that counts as near the best."),
    click.option(
        "--complete",
        is_flag=True,
        help="No trials were planned besides the rows of the table. Otherwise absent seeds of a configuration, and "
        "absent cells of a grid, count as not run yet.",
    ),
    click.option(
        "--adaptive",
        is_flag=True,
        help="A search chose the configurations by the scores of earlier ones, as Optuna's TPE does.",
    ),
    click.option("--decimal-comma", is_flag=True, help="Numbers in text have a decimal comma, such as 0,81."),
    click.option(
        "--reference",
        metavar="LOSS",
        help="The loss that the others are compared with: if not given, InfoNCE, or else the first one in the table.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class ReadTable:
    """A table of results, the meaning of its columns, and the study that follows from both."""

    rows: "pd.DataFrame"  # as in the file
    mapping: "TableMapping"
    trials: "pd.DataFrame"  # one row per planned trial, with the columns of `analysis`
    info: "StudyInfo"


def mapping_options(command: Callable[..., None], data: str = "--data") -> Callable[..., None]:
    """Add the options that define the meaning of columns. `data` is the name of the one for data sets."""
    for option in reversed((*_MAPPING, click.option(data, "data", metavar="COLUMN", help=_DATA_HELP))):
        command = option(command)
    return command


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options of `mapping_options` that the user gave, as keys of a mapping.

    Raises `StudyError` where both directions are given.
    """
    values = {
        key: value
        for key, value in options.items()
        if value not in (None, (), False) or (key == "percent" and value is False)
    }
    for prefix in ("", "selects_"):
        if values.pop(f"{prefix}lower_is_better", False):
            if f"{prefix}higher_is_better" in values:
                flag = f"--{prefix.replace('_', '-')}lower-is-better"
                raise StudyError(f"{flag}: give it or {flag.replace('lower', 'higher')}, not both")
            values[f"{prefix}higher_is_better"] = False
    return values


def check_table(path: str) -> None:
    """Raise `StudyError` if `path` does not exist, is a pipe or a device, or is too large.

    Callers check first, because importing pandas takes seconds.
    """
    from analysis.tables.exports.source import local_path

    try:
        local = local_path(path)
    except ValueError as error:
        raise StudyError(str(error)) from error
    if local is None:
        return
    try:
        if not local.is_dir():
            check_regular(local, TABLE_BYTES)
    except FileNotFoundError:
        raise StudyError(f"{local}: no such file") from None
    except OSError as error:
        raise StudyError(f"{short_name(local)}: cannot be read ({error.strerror})") from error


def read_table(source: str, values: dict[str, Any]) -> "ReadTable":
    """Read a table, or a folder that `study import` wrote. `values` come from `given`. Raises `StudyError`."""
    from analysis.data_sets import data_sets
    from analysis.tables.build import table_study
    from analysis.tables.mapping import build_mapping, read_mapping
    from analysis.tables.meanings import metric_candidates

    try:
        rows, keys = _read_rows(source)
        file = values.get("mapping")
        keys |= read_mapping(Path(file)) if file else {}
        keys |= {key: value for key, value in values.items() if key != "mapping"}
        if "metric" not in keys:
            raise StudyError(
                f"--metric: is missing; the table has the columns {', '.join(metric_candidates(rows))}"
            )
        mapping = build_mapping({"name": Path(source).stem, **keys})
        trials, info = table_study(rows, mapping)
        data_sets(trials, info)
        return ReadTable(rows=rows, mapping=mapping, trials=trials, info=info)
    except ValueError as error:
        raise StudyError(str(error)) from error


def _read_rows(source: str) -> tuple["pd.DataFrame", dict[str, Any]]:
    """The rows of a table, and the keys of its mapping if the source is an imported folder."""
    from analysis.tables.mapping import mapping_keys
    from analysis.tables.read import is_imported, load_imported, read_rows

    if is_imported(source):
        rows, mapping = load_imported(source)
        return rows, mapping_keys(mapping)
    read = read_rows(source)
    for fault in read.faults:
        say_error(fault)
    for note in read.notes:
        say_note(note)
    return read.rows, {}


def say_meaning(table: "ReadTable") -> None:
    """Print on standard error what each column was taken for, and the number of absent trials."""

    say_table(
        ("column", "taken as", "why"),
        [(first_names(each.columns), each.role, each.detail) for each in table.info.columns],
    )
    if absent := len(table.trials) - len(table.rows):
        say_note(
            f"Absent: {absent} of {len(table.trials)} trials have no row and count as not run yet; "
            "if no more were planned, add --complete"
        )
