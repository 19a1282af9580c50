"""`study bundle`: packs a study, its records, report and manifests into one zip file, for a paper's supplement."""

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from study.cli.options import DATA_ROOT, STORE, TRUST_CODE, guarded
from study.console import format_bytes, say
from study.errors import StudyError, writing
from trainables.atomic import replacing

if TYPE_CHECKING:
    from study.loaded import LoadedStudy

#: The earliest time that the zip format allows. All files have it, so that equal bundles have equal bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


@click.command("bundle")
@click.argument("study")
@STORE
@DATA_ROOT
@TRUST_CODE
@click.option("--out", metavar="PATH", help="The file to write.  [default: ./<study>-bundle.zip]")
@guarded
def command(study: str, store: str, data_root: str | None, out: str | None) -> None:
    """Pack STUDY, its records and its report into one zip file.

    The file suits a paper's supplement. It includes the manifests of all launches, without the names and paths of
    machines. On any machine, `study report` with this file makes the report again, without the data set.
    """
    from study.archive import check_name, read_archive
    from study.loaded import load_study
    from study.report.pack import fill_bundle

    loaded = load_study(study, store, data_root)
    check_name(study, loaded, read_archive(loaded))
    target = Path(out or f"{loaded.name}-bundle.zip").expanduser()
    _check(loaded, target)
    with TemporaryDirectory() as folder:
        bundle = fill_bundle(loaded, Path(folder).resolve())
        count = bundle.records.table.num_rows
        with writing("--out", target):
            _pack(bundle.path, target)
    say(
        f"{target}: {count} of {len(loaded.plan.trials)} trials of {loaded.name}, "
        f"{format_bytes(target.stat().st_size)}. `study report {target}` makes its report again."
    )


def _check(loaded: "LoadedStudy", target: Path) -> None:
    """Raise `StudyError` if the study has no records, or if `target` exists or is not a .zip path."""
    if target.suffix != ".zip":
        raise StudyError(f"--out: got {target}, must end in .zip")
    if target.exists():
        raise StudyError(f"--out: got {target}, which exists already; nothing is overwritten")
    if not loaded.plan.records.table.num_rows:
        raise StudyError(f"bundle: {loaded.name} has no records in this store yet; run it first")


def _pack(folder: Path, target: Path) -> None:
    """Write all files in `folder` into the archive, in a folder with the archive's name."""
    with replacing(target) as temporary, zipfile.ZipFile(temporary, "x") as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            name = zipfile.ZipInfo(f"{target.stem}/{path.relative_to(folder).as_posix()}", _NO_TIME)
            name.external_attr = 0o644 << 16
            archive.writestr(name, path.read_bytes(), zipfile.ZIP_DEFLATED)
