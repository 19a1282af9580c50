"""Unpacked bundles as folders: where one is, and that its files are plain files.

`study bundle` writes bundles, and `study.report.bundle` opens them. What they contain is a stranger's. This module
imports only the standard library.
"""

import os
import stat
from pathlib import Path

#: The file that makes a folder a bundle.
BUNDLE_FILE = "bundle.json"

#: The parts of a bundle, and the folders that commands add to it when it is their store.
PARTS = (BUNDLE_FILE, "README.txt", "records", "records.csv", "studies")
_ADDED = ("checkpoints", "claims", "curves", "damaged", "embeddings", "encoders", "leases", "losses")


def bundle_around(path: Path) -> Path | None:
    """The folder of the bundle that contains a path, or the place that the path links to; None if none does."""
    for place in dict.fromkeys((os.path.abspath(path), os.path.realpath(path))):
        for folder in (Path(place), *Path(place).parents):
            if os.path.lexists(folder / BUNDLE_FILE):
                return folder
    return None


def leads_out(path: Path) -> Path | None:
    """The bundle that contains a path whose links lead out of the bundle; None for all other paths."""
    bundle = bundle_around(path)
    outside = bundle and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(bundle))
    return bundle if outside else None


def irregular_file(bundle: Path) -> Path | None:
    """The first link or special file, relative to the bundle; None if there is none.

    A link may lead out of the bundle, and reading a pipe may never end.
    """
    left = [bundle / name for name in reversed(PARTS + _ADDED)]
    while left:
        path = left.pop()
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(mode):
            left += sorted(path.iterdir(), reverse=True)
        elif not stat.S_ISREG(mode):
            return path.relative_to(bundle)
    return None
