"""`study data`: downloads a data set on request, decodes all of it once, and shows its content."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from study.cli.options import DATA_ROOT, JSON, TRUST_CODE, guarded
from study.console import say, say_json
from study.errors import StudyError, writing

if TYPE_CHECKING:
    from trainables.datasets.loaded import ImageData


@click.command("data")
@click.argument("name")
@DATA_ROOT
@TRUST_CODE
@click.option("--download", is_flag=True, help="Download it into the data root first, if it is not there.")
@click.option(
    "--size", type=click.IntRange(min=1), help="Side in pixels that images are fitted to, as data.size."
)
@JSON
@guarded
def command(name: str, data_root: str | None, download: bool, size: int | None, as_json: bool) -> None:
    """Check the data set NAME: images, bytes, classes and checksum.

    `study list data` lists the data sets. Every image is decoded once, so broken images are found, and stored in a
    cache that all trials share: $STUDY_CACHE_ROOT, or by default ~/.cache/contrastive-robustness.
    """
    from study.loaded import check_data_root
    from study.spec.trust import check_own_name
    from trainables.config import DataConfig
    from trainables.datasets.datasets import load_dataset
    from trainables.own_code import use_own_folders

    root = Path(data_root).expanduser() if data_root else None
    check_own_name(name)
    use_own_folders()
    if download:
        _download(name, root)
    facts = data_facts(load_dataset(DataConfig(name=name, size=size), check_data_root(root)))
    if as_json:
        say_json(facts)
        return
    for label, value in _lines(facts):
        say(f"{label:<12}{value}")


def data_facts(data: "ImageData") -> dict[str, Any]:
    """Images and bytes of each split, shape, classes, checksum (the fingerprint of the content), files and notes."""
    info, unlabelled = data.info, data.pretraining[data.info.n_train :]
    parts = {"train": data.train.images, "unlabelled": unlabelled}
    parts |= {"validation": data.val.images, "test": data.test.images}
    return {
        "name": info.name,
        "splits": {name: {"images": len(part), "bytes": part.nbytes} for name, part in parts.items()},
        "bytes": data.images.nbytes,
        "channels": info.channels,
        "size": info.size,
        "classes": list(info.classes),
        "views": info.views,
        "checksum": info.fingerprint,
        "found": info.found,
        "notes": list(info.notes),
    }


def _download(name: str, root: Path | None) -> None:
    from trainables.datasets.datasets import download_dataset

    if root is None:
        raise StudyError("--download: no data root is set; give one by --data-root or STUDY_DATA_ROOT")
    with writing("--data-root", root):
        root.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stdout(sys.stderr):  # messages of libraries are not results
        download_dataset(name, root)


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Labels and values for display. Splits without images are left out."""
    from trainables.datasets.cache_root import cache_root

    splits = [
        (name, f"{part['images']:,} images, {part['bytes']:,} bytes")
        for name, part in facts["splits"].items()
        if part["images"]
    ]
    return [
        ("data", facts["name"]),
        *([("found", facts["found"])] if facts["found"] else []),
        *(("note", note) for note in facts["notes"]),
        *splits,
        ("all", f"{facts['bytes']:,} bytes decoded"),
        ("shape", f"{facts['channels']} x {facts['size']} x {facts['size']}, uint8"),
        ("classes", f"{len(facts['classes'])}: {', '.join(facts['classes'])}"),
        ("views", f"{facts['views']} by default"),
        ("checksum", facts["checksum"]),
        ("cache", str(cache_root() or "off")),
    ]
