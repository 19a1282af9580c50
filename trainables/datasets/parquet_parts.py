"""The files of each part of a Parquet image set, in the layouts of model hubs; used by `parquet`.

A part is one file (`train.parquet`), numbered shards (`train-00000-of-00002.parquet`, with a hash at the end in older
sets), or a folder of numbered files (`train/0000.parquet`). The files lie in the given folder, in `data` below it, or
in one folder below it that is named after the set's configuration.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from trainables.datasets.source import VALIDATION, DataError, test_part_note, unused_part_note
from trainables.suggestion import first_names

_SHARD = re.compile(r"(?P<part>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?:-[0-9a-f]+)?\.parquet")
_NUMBERED = re.compile(r"(?P<number>\d+)\.parquet")

#: The largest number of names in a message.
_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The files of the training and of the test part, in order, and notes on other files."""

    train: tuple[Path, ...]
    test: tuple[Path, ...]
    found: str
    notes: tuple[str, ...]


def find_parts(folder: Path) -> Parts:
    """The parts of the set in a folder. Without a test part, a validation part is the test part.

    Raises `DataError` when a part is absent, when a shard is missing, and when several folders hold a set.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: is a file; allowed is a folder of Parquet files")
    place = _place(folder)
    parts = _parts(place)
    if "train" not in parts:
        raise DataError(
            f"data not found: there is no file {folder / 'train.parquet'}, no train-00000-of-NNNNN.parquet and no "
            f"train/0000.parquet; {_there(folder)}"
        )
    validation = [name for name in VALIDATION if name in parts]
    test = "test" if "test" in parts else next(iter(validation), None)
    if test is None:
        raise DataError(
            f"data not found: there is no file {place / 'test.parquet'}, and no shards of test or of "
            f"{', '.join(VALIDATION)}; {_there(folder)}"
        )
    files = {part: _complete(place, part, parts[part]) for part in ("train", test)}
    notes = []
    if test != "test":
        notes.append(test_part_note(test))
    unused = [name for name in validation if name != test]
    notes += map(unused_part_note, unused)
    read = {*files["train"], *files[test], *(file for name in unused for file in parts[name])}
    if rest := [file for file in _all_files(folder, place) if file not in read]:
        notes.append(f"not read: {first_names([str(file.relative_to(folder)) for file in rest], _NAMED)}")
    return Parts(
        train=files["train"],
        test=files[test],
        found=f"train from {_span(folder, files['train'])}; test from {_span(folder, files[test])}",
        notes=tuple(notes),
    )


def _place(folder: Path) -> Path:
    """The folder that holds the training part; the given folder if none does."""
    for place in (folder, folder / "data"):
        if "train" in _parts(place):
            return place
    below = [place for place in _folders(folder) if "train" in _parts(place)]
    if len(below) > 1:
        sets = first_names([place.name for place in below], _NAMED)
        raise DataError(f"{folder}: holds {len(below)} sets, {sets}; name one of these folders")
    return below[0] if below else folder


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))


def _parts(place: Path) -> dict[str, list[Path]]:
    """The files of every part in a place: one file before shards, and shards before a folder."""
    found: dict[str, list[Path]] = defaultdict(list)
    if not place.is_dir():
        return found
    for file in _files(place):
        if shard := _SHARD.fullmatch(file.name):
            found[shard["part"]].append(file)
    for folder in _folders(place):
        numbered = [file for file in _files(folder) if _NUMBERED.fullmatch(file.name)]
        if numbered and folder.name not in found:
            found[folder.name] = numbered
    return found | {file.stem: [file] for file in _files(place) if not _SHARD.fullmatch(file.name)}


def _complete(place: Path, part: str, files: list[Path]) -> tuple[Path, ...]:
    """The files of a part in the order of their numbers. Raises `DataError` for a missing or a repeated number."""
    if files == [place / f"{part}.parquet"]:
        return tuple(files)
    shards = [match for file in files if (match := _SHARD.fullmatch(file.name))]
    pattern = f"{part}-{{:05d}}-of-{{:05d}}.parquet" if shards else f"{part}/{{:04d}}.parquet"
    counts = sorted({int(shard["count"]) for shard in shards})
    if len(counts) > 1:
        raise DataError(
            f"{place}: {part} has shards of-{counts[0]:05d} and of-{counts[1]:05d}; keep those of one version"
        )
    by_number: dict[int, Path] = {}
    for file in files:
        match = _SHARD.fullmatch(file.name) or _NUMBERED.fullmatch(file.name)
        assert match is not None
        other = by_number.setdefault(int(match["number"]), file)
        if other is not file:
            raise DataError(f"{place}: {other.name} and {file.name} are the same shard; keep one of them")
    count = counts[0] if counts else max(by_number) + 1
    missing = [pattern.format(number, count) for number in range(count) if number not in by_number]
    if missing:
        raise DataError(
            f"{place}: {part} lacks {len(missing)} of {count} files: {first_names(missing, _NAMED)}"
        )
    return tuple(by_number[number] for number in sorted(by_number))


def _all_files(folder: Path, place: Path) -> list[Path]:
    """The Parquet files of the folder and of the place, and of the folders directly in the place."""
    return list(dict.fromkeys(file for where in (folder, place, *_folders(place)) for file in _files(where)))


def _there(folder: Path) -> str:
    names = [str(file.relative_to(folder)) for file in _all_files(folder, folder)]
    return f"Parquet files there: {first_names(names, _NAMED)}" if names else "there are no Parquet files"


def _span(folder: Path, files: tuple[Path, ...]) -> str:
    first, last = (str(file.relative_to(folder)) for file in (files[0], files[-1]))
    return first if len(files) == 1 else f"{first} to {last} ({len(files)} files)"
