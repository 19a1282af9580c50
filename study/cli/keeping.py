"""Commands that care for a store: join, clean, pack."""

import sys

import click

from study.cli.options import DATA_ROOT, JSON, STORE, guarded


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--into", required=True, metavar="STORE", help="The store to copy to; made when it is not there."
)
@guarded
def merge(sources: tuple[str, ...], into: str) -> None:
    """Copy the records of the stores SOURCE... into another store, each once.

    A trial that has a result in the target keeps it. Only records are copied: no encoders, checkpoints or reports.
    """
    from study.commands.merge import merge as merge_records

    merge_records(sources, into)


@click.command()
@STORE
@click.option("--encoders", is_flag=True, help="Also kept encoders whose trial has ended.")
@click.option(
    "--curves", is_flag=True, help="Also learning curves and sphere embeddings of trials that have ended."
)
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="DAYS",
    help="Only what was not changed for so many days.  [default: any age above an hour]",
)
@click.option("--dry-run", is_flag=True, help="List what would go and remove nothing.")
@JSON
@guarded
def gc(store: str, encoders: bool, curves: bool, older_than: float, dry_run: bool, as_json: bool) -> None:
    """Remove files that no study needs any more from the store.

    Records always stay. Removes checkpoints of trials that have ended, temporary files and leases of dead processes,
    and Ray Tune's folders of dead launches. What was changed within an hour, or since the oldest launch began that
    runs now, stays too.
    """
    from study.commands.gc import collect_garbage

    sys.exit(
        collect_garbage(
            store,
            encoders=encoders,
            curves=curves,
            older_than=older_than,
            dry_run=dry_run,
            as_json=as_json,
        )
    )


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@click.option("--out", metavar="PATH", help="The file to write.  [default: ./<study>-bundle.zip]")
@guarded
def bundle(study: str, store: str, data_root: str | None, out: str | None) -> None:
    """Pack STUDY, its records and its report into one zip file.

    For a paper's supplement, with the manifests of all launches. Names of machines and paths on them are left out.
    Unpacked elsewhere, `study report` makes the report again, without the data set.
    """
    from study.commands.bundle import bundle_study

    bundle_study(study, store, data_root, out=out)
