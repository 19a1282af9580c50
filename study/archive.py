"""The archived copy of a study file in the store, and the paths of the files it was read from.

Launches and reports write the archive. In a store, one name means one study. Users may edit a study file, or keep
copies of it in several places. A different file with the same name and different content would overwrite the report
of the first study, so `check_name` refuses it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from study.errors import StudyError
from study.loaded import LoadedStudy
from study.plan import study_directory
from study.spec.source import ARCHIVE_FILE, shipped_studies
from trainables.atomic import replace_file
from trainables.machine_faults import reason_of
from trainables.reading import parse_json, read_text
from trainables.store.records import RecordStore


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What a store holds of a study besides its records. The text is that of the last launch or report."""

    text: str
    #: Files that this text or an earlier version was read from, the latest last; empty if unknown.
    origins: tuple[str, ...] = ()
    trial_ids: frozenset[str] = frozenset()  # ids of the study's trials


def read_archive(loaded: LoadedStudy) -> Archive | None:
    """The archive of the study with this name; None before its first launch."""
    directory = study_directory(loaded.store, loaded.name)
    try:
        text = read_text(directory / "study.toml")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"store: cannot read {directory / 'study.toml'} ({reason_of(error)})") from error
    try:
        content = parse_json(read_text(directory / ARCHIVE_FILE))
        return Archive(
            text=text, origins=tuple(content["origins"]), trial_ids=frozenset(content["trial_ids"])
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # older versions wrote no archive.json
        return Archive(text=text)
    except OSError as error:
        raise StudyError(f"store: cannot read {directory / ARCHIVE_FILE} ({reason_of(error)})") from error


def archived_trials(store: RecordStore, name: str) -> frozenset[str]:
    """The ids of the trials of the study with this name, as of its last launch or report in the store.

    Raises `StudyError` if the store has no such study.
    """
    path = study_directory(store, name) / ARCHIVE_FILE
    try:
        return frozenset(map(str, parse_json(read_text(path))["trial_ids"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f"store: {store.location} has no trials of a study {name!r}") from error
    except OSError as error:
        raise StudyError(f"store: cannot read {path} ({reason_of(error)})") from error


def check_name(study: str, loaded: LoadedStudy, archive: Archive | None, *, edited: bool = False) -> None:
    """Raise `StudyError` when the store holds another study with this name.

    `edited` means that the user confirms that both are the same study.
    """
    if archive is None or edited or not archive.origins or archive.text == loaded.study_file.text:
        return
    if origin_of(study) not in archive.origins:
        raise StudyError(
            f"name: got '{loaded.name}', which is another study in this store, from {archive.origins[-1]}; change "
            "the name or the --store; if this file is a later version of that one, `study run --edited` says so once"
        )


def removed_line(loaded: LoadedStudy, archive: Archive | None) -> str | None:
    """One line about recorded trials that an edit removed from the study; None if there are none."""
    if archive is None or archive.text == loaded.study_file.text:
        return None
    removed = archive.trial_ids - {trial.keys.trial_id for trial in loaded.plan.trials}
    count = len(removed & loaded.records.statuses().keys())
    if not count:
        return None
    are = "trial of its earlier version is" if count == 1 else "trials of its earlier version are"
    return f"{loaded.name}: {count} recorded {are} no longer part of it; they stay in the store."


def write_archive(study: str, loaded: LoadedStudy, archive: Archive | None) -> None:
    """Archive the study as it is now. Raises `StoreError` when the store cannot be written."""
    here = origin_of(study)
    before = [origin for origin in (archive.origins if archive else ()) if origin != here]
    content = {"origins": [*before, here], "trial_ids": sorted(t.keys.trial_id for t in loaded.plan.trials)}
    directory = study_directory(loaded.store, loaded.name)
    with loaded.store.writing():
        replace_file(directory / ARCHIVE_FILE, json.dumps(content))
        replace_file(directory / "study.toml", loaded.study_file.text)


def origin_of(study: str) -> str:
    """The identity of a study file: its absolute path, or the name of a shipped study."""
    return study if study in shipped_studies() else str(Path(study).expanduser().resolve())
