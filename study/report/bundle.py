"""Bundles: one study with its records, small enough for a paper's supplement. A bundle opens without the data set.

An unpacked bundle is a store with the study's records. It also contains the planned trials and the study's
description, so that a report needs neither the data nor the user's own losses. `study bundle` writes bundles
(`study.report.pack`). Strangers write bundles too: what opens one imports nothing and runs nothing in it.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.console import shell_line
from study.errors import StudyError
from study.plan import study_directory
from study.report.bundle_file import Planned, read_bundle_file
from study.report.looks import with_look
from study.spec.source import read_source, shipped_studies
from trainables.archives import ArchiveError, unpacked_zip
from trainables.bundle_folder import BUNDLE_FILE, irregular_file
from trainables.own_code import no_own_code
from trainables.store.records import RecordSet, RecordStore, StoreError, open_store
from trainables.store.schema import Status

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.info import StudyInfo
    from analysis.study_analysis import StudyAnalysis

#: What the analysis may raise for a description and rows that do not fit.
_UNFIT = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, AssertionError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """An open bundle."""

    path: Path  # the unpacked folder, which is temporary for a packed bundle
    said: str  # the zip file or the folder, as messages name it
    packed: Path | None  # the zip file
    planned: Planned
    info: "StudyInfo"

    @classmethod
    def read(cls, path: Path, said: str = "", packed: Path | None = None) -> "Bundle":
        """The bundle unpacked in a folder. Raises `StudyError` if it is damaged, `FileNotFoundError` for none."""
        if (irregular := irregular_file(path)) is not None:
            raise StudyError(
                f"{said or path}: {irregular} is a link or a special file; a bundle contains only files and folders"
            )
        planned, info = read_bundle_file(path)
        return cls(path=path, said=said or str(path), packed=packed, planned=planned, info=info)

    @property
    def store(self) -> RecordStore:
        """The store with the bundle's records."""
        return RecordStore(self.path)

    @cached_property
    def records(self) -> RecordSet:
        """The latest attempt at each planned trial."""
        return self.store.read({row["trial_id"] for row in self.planned})

    @property
    def report_folder(self) -> Path:
        """The folder of the report: that of the study; for a packed bundle, a folder beside it."""
        if self.packed is None:
            return study_directory(self.store, self.info.name)
        return self.packed.with_name(f"{self.packed.stem}-report")

    def counts(self) -> dict[str, int]:
        """The number of trials, of trials in each status, and of missing trials. The others sum to the first."""
        recorded = self.records.statuses()
        found = Counter(recorded.get(row["trial_id"]) for row in self.planned)
        return {
            "trials": len(self.planned),
            **{status.value: found[status] for status in Status},
            "missing": found[None],
        }

    def titles(self) -> dict[str, str]:
        """A title for each planned trial: its arm, what differs between trials of the arm, and its seed."""
        values: dict[str, dict[str, set[Any]]] = {}
        for row in self.planned:
            for name in (name for name in row if name.startswith("hp_")):
                values.setdefault(row["arm"], {}).setdefault(name, set()).add(row[name])
        return {row["trial_id"]: _title(row, values.get(row["arm"], {})) for row in self.planned}


@contextmanager
def open_bundle(location: str) -> Iterator[Bundle | None]:
    """The bundle in a zip file or in a folder; None if the folder has none, and for other locations.

    A zip file is unpacked into a temporary folder for the time of the block. In the block, no folder of the user is
    on the Python path, and nothing is imported by import path. Raises `StudyError` for a zip file without a bundle,
    and for a damaged bundle.
    """
    path = Path(location).expanduser()
    if is_packed(location):
        with _unpacked(path) as folder, no_own_code(path):
            yield _packed(path, folder)
    elif is_bundle(location):
        with no_own_code(path.resolve()):
            yield Bundle.read(path.resolve())
    else:
        yield None


@contextmanager
def open_study_bundle(study: str, store: str) -> Iterator[Bundle | None]:
    """The bundle that a command is about: that of STUDY, or that of the store if STUDY is its study; else None.

    STUDY is a bundle, packed or unpacked, or the unchanged study file of the bundle at `store`, or its name. Raises
    `StudyError` if the store is a packed bundle of another study.
    """
    if study not in shipped_studies() and is_bundle(study):
        with open_bundle(study) as bundle:
            yield bundle
        return
    if not is_bundle(store):
        yield None
        return
    is_file = study in shipped_studies() or Path(study).expanduser().exists()
    text = read_source(study).text if is_file else None
    with open_bundle(store) as bundle:
        assert bundle is not None
        by_name = study == bundle.info.name and (bundle.packed is not None or not is_file)
        fits = by_name or text == bundle.info.spec_text
        if fits:
            yield bundle
        elif bundle.packed:
            raise StudyError(
                f"store: {store} is a bundle of the study {bundle.info.name!r}; got the study {study!r}"
            )
    if not fits:
        yield None


@contextmanager
def open_store_of(location: str) -> Iterator[RecordStore]:
    """The store at a location, which may be a bundle, packed or unpacked."""
    with open_bundle(location) as bundle:
        yield open_store(location) if bundle is None else bundle.store


def is_bundle(location: str) -> bool:
    """Whether a location is a zip file, or a folder in which a bundle is unpacked."""
    if is_packed(location) or "://" in location:
        return is_packed(location)
    file = Path(location).expanduser() / BUNDLE_FILE
    return file.is_file() or file.is_symlink()


def is_packed(location: str) -> bool:
    """Whether a location is a zip file by its name."""
    path = Path(location).expanduser()
    return "://" not in location and path.suffix.lower() == ".zip" and not path.is_dir()


def report_bundle(bundle: Bundle, out: Path | None = None) -> tuple[Path, "StudyAnalysis"]:
    """Write the report of a bundle from its content alone. Returns the page's path and the analysis."""
    from analysis.report.write import write_findings
    from analysis.study_analysis import analyse_table
    from study.report.importances import with_importances

    folder = out or bundle.report_folder
    with _fitting(bundle):
        table, info = _table(bundle)
        info = with_look(info, table, study_directory(bundle.store, info.name), folder)
        store = shell_line(bundle.packed.name if bundle.packed else ".").replace("{", "").replace("}", "")
        findings = replace(
            with_importances(analyse_table(table, info)), trial_command=f"study show {{}} --store {store}"
        )
        return write_findings(findings, folder), findings


def bundle_table(bundle: Bundle) -> "tuple[pd.DataFrame, StudyInfo]":
    """The planned trials of a bundle with their records, and the description of its study."""
    with _fitting(bundle):
        return _table(bundle)


def _table(bundle: Bundle) -> "tuple[pd.DataFrame, StudyInfo]":
    import pandas as pd

    from analysis.model.table import build_table

    info = replace(bundle.info, look=None, look_note="")  # the files of looks say what a look is
    return build_table(pd.DataFrame(bundle.planned), bundle.records.table.to_pandas()), info


@contextmanager
def _fitting(bundle: Bundle) -> Iterator[None]:
    """Raise `StudyError` if the analysis cannot read the content of the bundle, which no check has found before."""
    try:
        yield
    except StoreError:
        raise
    except _UNFIT as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise StudyError(
            f"{bundle.said}: its description of the study and its trials do not fit ({reason}); "
            f"`study verify {bundle.said} --no-code` checks its content"
        ) from error


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """The unpacked files of a zip file. Errors of the block name the zip file in place of the temporary folder."""
    try:
        with unpacked_zip(path) as folder:
            try:
                yield folder
            except (StudyError, StoreError) as error:
                raise type(error)(str(error).replace(str(folder), str(path))) from error
    except ArchiveError as error:
        raise StudyError(str(error)) from error


def _packed(path: Path, folder: Path) -> Bundle:
    """The bundle in the files of a zip file: at its top, or in one folder there."""
    found = [each for each in (folder, *sorted(folder.iterdir())) if (each / BUNDLE_FILE).is_file()]
    if not found:
        raise StudyError(f"{path}: contains no bundle; `study bundle` writes one")
    if len(found) > 1:
        raise StudyError(f"{path}: contains {len(found)} bundles; unpack it and name one of its folders")
    return Bundle.read(found[0], said=str(path), packed=path)


def _title(row: dict[str, Any], values: dict[str, set[Any]]) -> str:
    varying = [name for name, found in values.items() if name in row and len(found) > 1]
    words = [f"{name.removeprefix('hp_')}={row[name]}" for name in varying]
    return " ".join([row["arm"], *words, f"seed={row['seed']}"])
