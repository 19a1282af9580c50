"""`study demo`: an invented study with known answers, as a table to import and as a report."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from study.cli.options import guarded
from study.console import CONSOLE, say
from study.errors import StudyError, writing
from trainables.atomic import replacing

if TYPE_CHECKING:
    from analysis.demo.rows import DemoStudy
    from analysis.tables.mapping import TableMapping

#: The file of the exact scores, next to the files of an imported table.
ANSWERS = "answers.csv"


@click.command("demo")
@click.option("--out", default="./demo", show_default=True, metavar="DIR", help="A new directory.")
@click.option(
    "--seeds",
    type=click.IntRange(min=1, max=1000),
    default=5,
    show_default=True,
    help="Seeds per configuration.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the invented results."
)
@guarded
def command(out: str, seeds: int, seed: int) -> None:
    """Write an invented study with known answers, and its report.

    The directory contains the table as `study import` writes it, exact scores (answers.csv), and the report. Nothing
    is trained: accuracies come from formulas. So the command shows in about a minute what a report contains, and how
    close its estimates are to the truth. It writes all files or none.
    """
    import numpy as np

    from analysis.demo.rows import demo_study

    target = Path(out).expanduser().absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StudyError(f"--out: got {out}, which exists already; nothing is overwritten")
    CONSOLE.print("Inventing trials and writing their reports takes about a minute.")
    study = demo_study(np.random.default_rng(seed), seeds=seeds)
    with writing("--out", out), replacing(target, durable=False) as folder:
        folder.mkdir()
        page = _write_into(folder, study)
    say(f"Wrote {out}: {len(study.records)} invented trials and {ANSWERS}")
    say(f"Report: {target / page}")


def _write_into(folder: Path, study: "DemoStudy") -> Path:
    """Write all files of the demo. Returns the path of the report, relative to the folder."""
    import tomlkit

    from analysis.data_sets import analyse_data_sets
    from analysis.demo.answers import exact_answers
    from analysis.model.table import build_table
    from analysis.report.write import write_data_sets
    from analysis.tables.mapping import mapping_keys
    from analysis.tables.read import MAPPING_FILE, TABLE_FILE

    study.records.to_parquet(folder / TABLE_FILE, index=False)
    (folder / MAPPING_FILE).write_text(tomlkit.dumps(mapping_keys(_mapping(study))), encoding="utf-8")
    exact_answers(seeds=len(study.info.seeds)).to_csv(folder / ANSWERS, index=False, lineterminator="\n")
    table = build_table(study.planned, study.records)
    return write_data_sets(analyse_data_sets(table, study.info), folder).relative_to(folder)


def _mapping(study: "DemoStudy") -> "TableMapping":
    from analysis.tables.mapping import TableMapping

    info = study.info
    return TableMapping(
        name=info.name,
        metric=info.metric.reporting_column,
        selects=info.metric.selecting_column,
        status="status",
        data="data",
        worst=info.metric.worst,
        tolerance=info.tolerance,
        null_controls=info.null_controls,
    )
