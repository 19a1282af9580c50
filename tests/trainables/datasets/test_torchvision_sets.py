"""CIFAR and STL-10 are read as torchvision's own readers read them, from files in their published formats."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchvision import datasets

from trainables.config import DataConfig
from trainables.datasets.datasets import describe_dataset, download_dataset, load_dataset
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


def test_only_the_first_process_checks_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later ones need no torchvision: labels are remembered, images are in the cache."""
    with monkeypatch.context() as patch:
        trust(patch, datasets.cifar)
        write_cifar10(tmp_path)
        data = load_dataset(DataConfig(name="cifar10"), tmp_path)
    code = (
        "import sys\nfrom pathlib import Path\nfrom trainables.config import DataConfig\n"
        "from trainables.datasets.datasets import load_dataset\n"
        "data = load_dataset(DataConfig(name='cifar10'), Path(sys.argv[1]))\n"
        "print(data.images.sum(dtype=int), data.train.labels.tolist(), 'torchvision' in sys.modules)"
    )
    output = subprocess.check_output([sys.executable, "-c", code, tmp_path], text=True)
    assert output == f"{data.images.sum(dtype=int)} {data.train.labels.tolist()} False\n"


def write_stl10(root: Path) -> dict[str, np.ndarray]:
    """Published files of few images; returns the bytes, columns before rows."""
    folder = root / "stl10_binary"
    folder.mkdir()
    generator, written = np.random.default_rng(0), {}
    for name, count in (("train", 20), ("test", 10), ("unlabeled", 15)):
        written[name] = generator.integers(0, 256, (count, 3, 96, 96), dtype=np.uint8)
        written[name].tofile(folder / f"{name}_X.bin")
        if name != "unlabeled":
            (np.arange(count) % 10 + 1).astype(np.uint8).tofile(folder / f"{name}_y.bin")
    (folder / "class_names.txt").write_text("\n".join(f"class {i}" for i in range(10)))
    return written


def test_stl10_trains_on_unlabelled_images_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(monkeypatch, datasets.stl10)
    write_stl10(tmp_path)
    data = load_dataset(DataConfig(name="stl10"), tmp_path)
    assert (data.info.n_train, data.info.n_unlabelled, data.info.n_val, data.info.size) == (18, 15, 2, 96)
    assert len(data.pretraining) == 33
    assert set(data.train.labels) == set(range(10))


def test_stl10_reads_as_torchvision_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(monkeypatch, datasets.stl10)
    write_stl10(tmp_path)
    data = load_dataset(DataConfig(name="stl10"), tmp_path)
    for split, images, labels in (
        ("train+unlabeled", [data.train.images, data.val.images], [data.train.labels, data.val.labels]),
        ("test", [data.test.images], [data.test.labels]),
    ):
        theirs = datasets.STL10(tmp_path, split=split)
        expected = {
            (image.tobytes(), int(label))
            for image, label in zip(theirs.data, theirs.labels, strict=True)
            if label >= 0
        }
        ours = zip(np.concatenate(images), np.concatenate(labels), strict=True)
        assert {(image.tobytes(), int(label)) for image, label in ours} == expected
    unlabelled = {image.tobytes() for image in datasets.STL10(tmp_path, split="unlabeled").data}
    assert {image.tobytes() for image in data.pretraining[data.info.n_train :]} == unlabelled


def test_download_asks_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    for kind in ("CIFAR100", "STL10"):
        monkeypatch.setattr(datasets, kind, lambda root, **words: asked.append({"root": root, **words}))
    download_dataset("cifar100", tmp_path)
    download_dataset("stl10", tmp_path)
    assert asked == [
        {"root": tmp_path, "download": True, "train": True},
        {"root": tmp_path, "download": True, "split": "train"},
    ]


def test_missing_set_says_how_to_get_it(tmp_path: Path) -> None:
    root = tmp_path / "my data"
    root.mkdir()
    with pytest.raises(DataError) as caught:
        describe_dataset(DataConfig(name="cifar10"), root)
    assert f"study data cifar10 --data-root '{root}' --download" in str(caught.value)


def test_only_published_sets_can_be_downloaded(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="download: got 'digits'; allowed are cifar10, cifar100, stl10, tiny_imagenet"
    ):
        download_dataset("digits", tmp_path)
