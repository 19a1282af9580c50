"""Commands that read what a store holds, and stop what runs."""

import sys
from typing import Any

import click

from study.cli.options import DATA_ROOT, JSON, STORE, guarded
from study.cli.tables import check_table, given, mapping_options
from study.errors import StudyError


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@click.option("--watch", is_flag=True, help="Show it again and again, until nothing is missing.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="From one look to the next, under --watch.",
)
@JSON
@guarded
def status(study: str, store: str, data_root: str | None, watch: bool, every: float, as_json: bool) -> None:
    """Show how far STUDY is: trials done, failed and missing.

    And how many launches of it run now.
    """
    from study.commands.status import show_status

    show_status(study, store, data_root, as_json=as_json, watch=watch, every=every)


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Where the page is served on 127.0.0.1; by default on any free port.",
)
@guarded
def watch(study: str, store: str, data_root: str | None, port: int) -> None:
    """Serve a page that shows STUDY while it runs: progress, surfaces, failures.

    On this machine alone, reading the store and changing nothing; the launch need not know of it. Ctrl-C ends it.
    """
    from study.commands.watch import watch_study

    watch_study(study, store, data_root, port=port)


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@JSON
@guarded
def failures(study: str, store: str, data_root: str | None, as_json: bool) -> None:
    """Show failed trials of STUDY by error, with one traceback each."""
    from study.commands.failures import show_failures

    show_failures(study, store, data_root, as_json=as_json)


@click.command()
@click.argument("trial_id")
@STORE
@JSON
@guarded
def show(trial_id: str, store: str, as_json: bool) -> None:
    """Show everything that the store knows of one trial.

    Its config, attempts, latest record and files, and how to run it again. TRIAL_ID may be shortened.
    """
    from study.commands.show import show_trial

    show_trial(trial_id, store, as_json=as_json)


@click.command()
@click.argument("study", required=False)
@STORE
@DATA_ROOT
@click.option(
    "--from",
    "table",
    metavar="TABLE",
    help="A table of results instead: CSV, Parquet, imported, or a whole store.",
)
@click.option("--out", metavar="FOLDER", help="With --from: where the report goes.")
@mapping_options
@guarded
def report(
    study: str | None, store: str, data_root: str | None, table: str | None, out: str | None, **options: Any
) -> None:
    """Write the report of what the store holds of STUDY now, or of a table of results that another tool made.

    The last options say which column of the table means what; see `study import`.
    """
    values = given(options)
    if (study is None) == (table is None):
        raise StudyError("name either a STUDY or a table with --from")
    if table is not None:
        check_table(table)
        from study.commands.tables import report_table

        report_table(table, out, values)
        return
    if out or values:
        raise StudyError(f"--{next(iter({'out': out} | values if out else values))}: only with --from")

    from study.commands.report import report_study

    assert study is not None
    report_study(study, store, data_root)


@click.command()
@click.argument("studies", nargs=-1, required=True)
@STORE
@DATA_ROOT
@click.option("--out", required=True, metavar="FOLDER", help="Where the report goes; made when absent.")
@guarded
def compare(studies: tuple[str, ...], store: str, data_root: str | None, out: str) -> None:
    """Write one report of several STUDIES: names, study files, or folders that `study import` wrote
    or that a bundle was unpacked into.

    Arms of studies on the same data stand beside each other, and the report says what the studies did differently.
    Studies on different data are told data set by data set, with what relates them.
    """
    from study.commands.compare import compare as compare_studies

    compare_studies(studies, store, data_root, out=out)


@click.command()
@click.argument("studies", nargs=-1)
@STORE
@DATA_ROOT
@click.option("--out", metavar="FOLDER", help="Where the page goes.  [default: STORE/claims]")
@guarded
def claims(studies: tuple[str, ...], store: str, data_root: str | None, out: str | None) -> None:
    """Write one page of what became of the claims that STUDIES make, with the figures that show it.

    By default those of all shipped studies that make some. Each must have run, at least in part.
    """
    from study.commands.claims import show_claims

    show_claims(studies, store, data_root, out=out)


@click.command()
@click.argument("study")
@STORE
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the end.",
)
@guarded
def cancel(study: str, store: str, wait: float) -> None:
    """Stop the running launches of STUDY, as Ctrl-C does.

    On this machine, or on any other that shares the store. Finished trials are kept, and the command that was
    stopped continues when it is given again.
    """
    from study.commands.cancel import cancel_study

    sys.exit(cancel_study(study, store, wait=wait))
