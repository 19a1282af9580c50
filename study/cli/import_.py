"""`study import`: checks a table of results that another tool made, and keeps it in a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from study.cli.options import guarded
from study.cli.tables import check_table, given, mapping_options, read_table, say_meaning
from study.console import say, shell_line
from study.errors import writing
from trainables.atomic import replace_file

if TYPE_CHECKING:
    from analysis.model.info import StudyInfo


@click.command("import")
@click.argument("table", type=click.Path())
@click.option(
    "--out",
    required=True,
    metavar="FOLDER",
    help="Folder for the checked table; it is created if it does not exist.",
)
@mapping_options
@guarded
def command(table: str, out: str, **options: Any) -> None:
    """Check a table of results and keep it with the meaning of its columns.

    TABLE is a CSV or Parquet file with one row per trial: a loss, a seed, hyperparameters and metrics. `study report
    --from FOLDER` then writes its report.

    For each loss, all its configurations count as planned with all its seeds. If at least half of the combinations of
    its values occur, all combinations count as planned. Planned trials without a row count as not run yet, unless
    --complete is given. A row may also have the status missing.
    """
    check_table(table)
    import tomlkit

    from analysis.parquet import parquet_bytes
    from analysis.tables.mapping import mapping_keys
    from analysis.tables.read import MAPPING_FILE, TABLE_FILE

    read, folder = read_table(table, given(options)), Path(out)
    with writing("--out", folder):
        replace_file(folder / TABLE_FILE, parquet_bytes(read.rows))
        replace_file(folder / MAPPING_FILE, tomlkit.dumps(mapping_keys(read.mapping)))
    say_meaning(read)
    say(f"{len(read.rows)} rows: {_describe(read.info)}.")
    say(f"Written: {folder}; its report: {shell_line('study', 'report', '--from', folder)}")


def _describe(info: "StudyInfo") -> str:
    axes = dict.fromkeys(axis.words for arm in info.arms for axis in arm.axes)
    return (
        f"{len(info.arms)} losses ({', '.join(arm.label for arm in info.arms)}), {len(info.seeds)} seeds, "
        f"surfaces over {', '.join(axes)}; metric {info.metric.name}, "
        f"{'higher' if info.metric.higher_is_better else 'lower'} is better"
    )
