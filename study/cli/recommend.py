"""`study recommend`: the loss and setting that records support, what they are worth, or why it cannot be told."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from study.cli.options import DATA_ROOT, JSON, STORE, TRUST_CODE, guarded
from study.cli.tables import FROM_TABLE, check_table, given, mapping_options, read_table
from study.console import say, say_json
from study.errors import StudyError
from trainables.suggestion import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.info import StudyInfo
    from analysis.study_analysis import StudyAnalysis


@click.command("recommend")
@click.argument("study", required=False)
@STORE
@DATA_ROOT
@TRUST_CODE
@FROM_TABLE
@click.option(
    "--batch-size", type=click.FloatRange(min=0, min_open=True), help="Compare only at this batch size."
)
@click.option("--data", "data_set", metavar="NAME", help="The data set, if the study has several.")
@click.option("--no-tuning", is_flag=True, help="Compare the losses at their default settings.")
@JSON
@partial(mapping_options, data="--data-column")
@guarded
def command(
    study: str | None,
    store: str,
    data_root: str | None,
    table: str | None,
    batch_size: float | None,
    data_set: str | None,
    no_tuning: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Name the loss and the setting that the records of STUDY support.

    The output has the expected score, and the expected regret: how much better the best loss is than this one.
    Validation of one seed chooses, and the other seeds score the choice. If the records do not support one choice,
    the output says so, and what each loss that may be the best costs at worst. STUDY or the store may be a bundle.
    Nothing is written. The last options define the meaning of the columns of TABLE; see `study import`.
    """
    values = given(options)
    if (study is None) == (table is None):
        raise StudyError("name either a STUDY or a table with --from")
    if study is not None and values:
        raise StudyError(f"--{next(iter(values)).replace('_', '-')}: only with --from")

    from analysis.report.recommended import NoBatchSizeError, recommend_from
    from analysis.report.recommended_data import answer_data
    from analysis.report.recommended_lines import answer_lines

    read = _read_study(study, store, data_root) if study is not None else _read_table(str(table), values)
    findings = _on_data_set(*read, data_set)
    try:
        answer = recommend_from(findings, batch_size=batch_size, tuned=not no_tuning)
    except NoBatchSizeError as error:
        raise StudyError(f"--batch-size: {error}") from error
    if as_json:
        say_json(answer_data(answer))
        return
    for line in answer_lines(answer):
        say(line)


def _read_study(study: str, store: str, data_root: str | None) -> "tuple[pd.DataFrame, StudyInfo]":
    """The trials of a study or of a bundle, and its description with the looks that the store remembers."""
    from study.archive import check_name, read_archive
    from study.loaded import load_study
    from study.plan import study_directory
    from study.report.bundle import bundle_table, open_study_bundle
    from study.report.looks import with_look
    from study.report.settings import with_settings
    from study.report.study_table import study_table

    with open_study_bundle(study, store) as bundle:
        if bundle is not None:
            table, info = bundle_table(bundle)
            info = with_settings(info, table)
            return table, with_look(info, table, study_directory(bundle.store, info.name))
    loaded = load_study(study, store, data_root)
    check_name(study, loaded, read_archive(loaded))
    table, info = study_table(loaded.plan, loaded.study_file)
    return table, with_look(info, table, study_directory(loaded.store, loaded.name))


def _read_table(source: str, values: dict[str, Any]) -> "tuple[pd.DataFrame, StudyInfo]":
    """The trials of a table and its description with the look; an imported folder remembers earlier ones."""
    from study.report.looks import with_look
    from study.report.settings import with_settings

    check_table(source)
    table = read_table(source, values)
    info = with_settings(table.info, table.rows, table.mapping)
    return table.trials, with_look(info, table.trials, Path(source))


def _on_data_set(table: "pd.DataFrame", info: "StudyInfo", name: str | None) -> "StudyAnalysis":
    """The analysis on one data set. Raises `StudyError` for an unknown one, and where several are there."""
    from analysis.data_sets import analyse_data_sets

    try:
        found = analyse_data_sets(table, info).findings
    except ValueError as error:
        raise StudyError(str(error)) from error
    known = ", ".join(found)
    if name is None and len(found) > 1:
        raise StudyError(f"--data: is missing; the study has the data sets {known}")
    if name is not None and not known:
        raise StudyError(f"--data: got '{name}'; the study has one data set, without a name")
    if name is not None and name not in found:
        raise StudyError(f"--data: got '{name}'{did_you_mean(name, found)}, must be one of {known}")
    return found[name] if name is not None else next(iter(found.values()))
