"""CIFAR and STL-10 through torchvision's own readers, on small files in their published formats."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchvision import datasets

from trainables.config import DataConfig
from trainables.datasets.catalogue import describe_dataset, download_dataset, load_dataset
from trainables.datasets.source import DataError

PER_FILE = 20


def write_cifar10(root: Path) -> dict[str, np.ndarray]:
    """Files as published, with 20 images each; returns the images (N, 3, 32, 32) of both parts."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    generator = np.random.default_rng(0)
    names = {"train": [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]}
    images = {}
    for part, files in names.items():
        images[part] = generator.integers(0, 256, (len(files) * PER_FILE, 3072), dtype=np.uint8)
        for number, file in enumerate(files):
            rows = images[part][number * PER_FILE : (number + 1) * PER_FILE]
            dump(folder / file, {"data": rows, "labels": [i % 10 for i in range(PER_FILE)]})
    dump(folder / "batches.meta", {"label_names": [f"class {i}" for i in range(10)]})
    return {part: rows.reshape(-1, 3, 32, 32) for part, rows in images.items()}


def dump(path: Path, content: dict[str, Any]) -> None:
    path.write_bytes(pickle.dumps(content))


def trust(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    """Take the published checksums out of play: small stand-in files cannot have them."""
    monkeypatch.setattr(module, "check_integrity", lambda *_: True)


def test_cifar10_pixels_and_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(monkeypatch, datasets.cifar)
    written = write_cifar10(tmp_path)
    data = load_dataset(DataConfig(name="cifar10"), tmp_path)
    assert (data.info.n_train, data.info.n_val, data.info.n_test) == (90, 10, 20)
    assert data.info.classes == tuple(f"class {i}" for i in range(10))
    by_content = {image.tobytes(): row % 10 for row, image in enumerate(written["train"])}
    for split in (data.train, data.val):
        assert [by_content[image.tobytes()] for image in split.images] == split.labels.tolist()
    assert {i.tobytes() for i in data.test.images} == {i.tobytes() for i in written["test"]}


def test_files_that_fail_their_checksum_are_refused(tmp_path: Path) -> None:
    write_cifar10(tmp_path)
    with pytest.raises(DataError, match=r"data 'cifar10' at .*: incomplete or fails its checksum"):
        describe_dataset(DataConfig(name="cifar10"), tmp_path)


def test_stl10_trains_on_unlabelled_images_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(monkeypatch, datasets.stl10)
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for name, count in (("train", 20), ("test", 10), ("unlabeled", 15)):
        generator.integers(0, 256, (count, 3, 96, 96), dtype=np.uint8).tofile(folder / f"{name}_X.bin")
        if name != "unlabeled":
            (np.arange(count) % 10 + 1).astype(np.uint8).tofile(folder / f"{name}_y.bin")
    (folder / "class_names.txt").write_text("\n".join(f"class {i}" for i in range(10)))
    data = load_dataset(DataConfig(name="stl10"), tmp_path)
    assert (data.info.n_train, data.info.n_unlabelled, data.info.n_val, data.info.size) == (18, 15, 2, 96)
    assert len(data.pretraining) == 33
    assert set(data.train.labels) == set(range(10))


def test_download_asks_torchvision_for_both_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(
        datasets, "CIFAR10", lambda root, **arguments: asked.append({"root": root, **arguments})
    )
    download_dataset("cifar10", tmp_path)
    assert asked == [{"root": tmp_path, "download": True, "train": part} for part in (True, False)]


def test_only_published_sets_can_be_downloaded(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="download: got 'digits'; allowed are cifar10, cifar100, stl10"):
        download_dataset("digits", tmp_path)
