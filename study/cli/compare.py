"""`study compare`: one report of several studies."""

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from study.cli.options import DATA_ROOT, STORE, TRUST_CODE, guarded, parameter_name
from study.cli.tables import check_table, given, mapping_options, read_table, say_meaning
from study.errors import StudyError, named

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.info import StudyInfo
    from analysis.model.metric import Metric
    from analysis.studies import ComparedStudy
    from study.report.bundle import Bundle

#: The trials of a study and its description.
Read = tuple["pd.DataFrame", "StudyInfo"]


@click.command("compare")
@click.argument("studies", nargs=-1, required=True)
@STORE
@DATA_ROOT
@TRUST_CODE
@click.option(
    "--out",
    required=True,
    metavar="FOLDER",
    help="Folder for the report; it is created if it does not exist.",
)
@mapping_options
@guarded
def command(studies: tuple[str, ...], store: str, data_root: str | None, out: str, **options: Any) -> None:
    """Write one report of several STUDIES.

    Each is the name of a study, a study file, a bundle (packed or unpacked), a table of results, an export of another
    tool, the folder of an imported table, or a store. For studies on the same data, the report shows their arms side
    by side and lists the differences between the studies. For studies on different data, the report has one part per
    data set, and describes how the parts relate.

    The last options define the meaning of columns of the tables and stores among them; see `study import`. By default
    their metric is that of the first study.
    """
    _check_names(studies)

    from analysis.studies import compare_studies
    from study.cli.report import report_data_sets

    values = given(options)
    if values and not any(map(_is_table, studies)):
        raise StudyError(f"{_given_flag(options)}: is for tables and stores, and none is named")
    read = _read_all(studies, store, data_root, values)
    try:
        compared = compare_studies(_studies(studies, [read[source] for source in studies]))
    except ValueError as error:
        raise StudyError(f"compare: {error}") from error
    report_data_sets(compared, Path(out).expanduser())


def _check_names(sources: Sequence[str]) -> None:
    """Raise `StudyError` for fewer than two sources, and for one that is named twice."""
    if len(sources) < 2:
        raise StudyError(f"compare: got {len(sources)} study; name at least two")
    seen: set[str] = set()
    for source in sources:
        path = os.path.normpath(source) if "://" not in source else source.rstrip("/")
        if path in seen:
            raise StudyError(f"compare: '{source}' is named twice")
        seen.add(path)


def _read_all(
    sources: Sequence[str], store: str, data_root: str | None, values: dict[str, Any]
) -> dict[str, Read]:
    """Every source. Tables come last, since the metric of a study is the default for them."""
    tables = [source for source in sources if _is_table(source)]
    read = {source: _read(source, store, data_root) for source in sources if source not in tables}
    metric = next(iter(read.values()))[1].metric if read else None
    for source in tables:
        check_table(source)
        with named(source):
            read[source] = _read_table(source, _with_metric(values, metric), say=True)
    return read


def _given_flag(options: dict[str, Any]) -> str:
    """The first of the options that was given, as the user writes it."""
    name = next(name for name, value in options.items() if value not in (None, (), False))
    return next(
        parameter_name(each) for each in click.get_current_context().command.params if each.name == name
    )


def _is_table(source: str) -> bool:
    """Whether the source is a table or a store, whose columns have no declared meaning yet."""
    from analysis.tables.read import is_store, is_table
    from study.report.bundle import is_bundle

    try:
        return is_table(source) or (is_store(source) and not is_bundle(source))
    except ValueError as error:
        raise StudyError(str(error)) from error


def _with_metric(values: dict[str, Any], metric: "Metric | None") -> dict[str, Any]:
    """The meaning of a table's columns, with the metric of a study unless it is given."""
    if metric is None or "metric" in values or "mapping" in values:
        return values
    known = {
        "metric": metric.reporting_column,
        "selects": metric.selecting_column,
        "higher_is_better": metric.higher_is_better,
    }
    if metric.held_out:
        known["selects_higher_is_better"] = metric.chooses_highest
    return known | values


def _read(source: str, store: str, data_root: str | None) -> Read:
    """The table of an imported folder or of a bundle, or of a study and its records in the store."""
    from analysis.tables.read import is_imported
    from study.loaded import load_study
    from study.plan import study_directory
    from study.report.bundle import open_bundle
    from study.report.looks import with_look
    from study.report.study_table import study_table

    if is_imported(source):
        with named(source):
            return _read_table(source, {}, say=False)
    with open_bundle(source) as bundle:
        if bundle is not None:
            return _read_bundle(bundle)
    if Path(source).is_dir():
        raise StudyError(
            f"{source}: must be a study, a bundle, a table, the folder of an imported table, or a store"
        )
    loaded = load_study(source, store, data_root)
    table, info = study_table(loaded.plan, loaded.study_file)
    return table, with_look(info, table, study_directory(loaded.store, loaded.name))


def _read_table(source: str, values: dict[str, Any], *, say: bool) -> Read:
    """The trials of a table or store. With `say`, print how its columns were understood."""
    from study.report.settings import with_settings

    table = read_table(source, values)
    if say:
        say_meaning(table)
    return table.trials, with_settings(table.info, table.rows, table.mapping)


def _read_bundle(bundle: "Bundle") -> Read:
    from study.report.bundle import bundle_table
    from study.report.settings import with_settings

    table, info = bundle_table(bundle)
    return table, with_settings(info, table)


def _studies(sources: Sequence[str], read: Sequence[Read]) -> list["ComparedStudy"]:
    from analysis.studies import ComparedStudy

    names = unique_names([info.name for _, info in read], sources)
    return [
        ComparedStudy(name=name, table=table, info=info)
        for name, (table, info) in zip(names, read, strict=True)
    ]


def unique_names(names: Sequence[str], sources: Sequence[str]) -> list[str]:
    """The names of studies; where several have one name, also what tells their paths apart, or a number."""
    taken: dict[int, str] = {}
    alone = [place for place, name in enumerate(names) if names.count(name) == 1]
    for place in sorted(range(len(names)), key=lambda place: place not in alone):
        twins = [source for source, name in zip(sources, names, strict=True) if name == names[place]]
        found = _candidates(names[place], sources[place], twins)
        taken[place] = next(each for each in found if each not in taken.values())
    return [taken[place] for place in range(len(names))]


def _candidates(name: str, source: str, twins: Sequence[str]) -> Iterator[str]:
    """Names for a study, the best first. `twins` are the sources of all studies with this name."""
    if len(twins) == 1:
        yield name
    apart = _apart(source, twins)
    if apart:
        yield apart if apart.startswith(name) else f"{name}-{apart}"
    yield from (f"{name} {count}" for count in itertools.count(1))


def _apart(source: str, twins: Sequence[str]) -> str:
    """The first part of a path, from its end, in which it differs from those of all twins; empty without one."""
    parts = {twin: list(reversed(Path(twin).parts)) for twin in twins}
    for place, part in enumerate(parts[source]):
        if all(each[place : place + 1] != [part] for twin, each in parts.items() if twin != source):
            return part
    return ""
