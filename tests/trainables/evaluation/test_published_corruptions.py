"""Published corrupted sets: rows follow the data set, severities their blocks, bad files give one line."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.trainables.tiny_trial import example
from trainables.config import DataConfig, ImagesTask, ProbeConfig
from trainables.datasets.datasets import load_dataset, open_source
from trainables.datasets.loaded import ImageData
from trainables.datasets.source import DataError
from trainables.datasets.subset import choose_rows
from trainables.evaluation.corruptions.built_in import BUILT_IN, corrupt
from trainables.evaluation.corruptions.corruptions import check_corruptions, corrupted_copies

#: Classes of digits and a limit: rows are then a subset, in an order of their own and with other labels.
DATA = DataConfig(name="digits", test_limit=40, classes=("2", "5", "7"))


def task(folder: str | Path, *, severity: int = 2, data: DataConfig = DATA) -> ImagesTask:
    probe = ProbeConfig(suite=("retrieval_corrupted",), corruptions=f"npy:{folder}", severity=severity)
    return dataclasses.replace(example().task, data=data, probe=probe)


@pytest.fixture(scope="module")
def data() -> ImageData:
    return load_dataset(DATA, None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All 500 test digits in the set's own order, as two corruptions that add the severity to every pixel."""
    source = open_source("digits", None)
    everything = choose_rows(DataConfig(name="digits"), source).test
    ordered = np.empty((500, 8, 8, 1), np.uint8)
    ordered[everything] = load_dataset(DataConfig(name="digits"), None).test.images.transpose(0, 2, 3, 1)
    np.save(tmp_path / "labels.npy", np.tile(source.test_labels, 5))
    for name, factor in (("add", 1), ("add_twice", 2)):
        np.save(
            tmp_path / f"{name}.npy", np.concatenate([ordered + np.uint8(factor * s) for s in range(1, 6)])
        )
    return tmp_path


@pytest.mark.parametrize("severity", [1, 2, 5])
def test_rows_and_severities_are_found(folder: Path, data: ImageData, severity: int) -> None:
    add, add_twice = corrupted_copies(task(folder, severity=severity), data, "test", data_root=None)
    assert np.array_equal(add, data.test.images + np.uint8(severity))
    assert np.array_equal(add_twice, data.test.images + np.uint8(2 * severity))


def test_a_relative_folder_lies_under_the_data_root(folder: Path, data: ImageData) -> None:
    copies = corrupted_copies(task(folder.name), data, "test", data_root=folder.parent)
    assert len(list(copies)) == 2


@pytest.mark.parametrize("split", ["val", "test"])
def test_the_built_in_set_serves_where_no_files_are(folder: Path, data: ImageData, split: str) -> None:
    asked = task(folder)
    if split == "test":
        asked = dataclasses.replace(asked, probe=dataclasses.replace(asked.probe, corruptions="built_in"))
    copies = list(corrupted_copies(asked, data, split, data_root=None))
    assert len(copies) == len(BUILT_IN)
    assert np.array_equal(copies[0], corrupt(data.splits[split].images, "gaussian_noise", 2, split))


def test_other_probes_need_no_files(data: ImageData) -> None:
    other = dataclasses.replace(task("absent"), probe=ProbeConfig(corruptions="npy:absent"))
    check_corruptions(other, data.info, None)


def save(name: str, array: np.ndarray):
    return lambda folder: np.save(folder / name, array)


def truncate(folder: Path) -> None:
    whole = (folder / "add.npy").read_bytes()
    (folder / "add.npy").write_bytes(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda folder: [path.unlink() for path in folder.glob("add*")],
            r"no corruptions; needed are NAME.npy",
        ),
        (lambda folder: (folder / "labels.npy").unlink(), r"there is no file .*labels.npy"),
        (truncate, r"add.npy: not a readable .npy file, truncated or damaged"),
        (lambda folder: (folder / "add.npy").write_bytes(b""), r"add.npy: not a readable .npy file"),
        (
            save("labels.npy", np.zeros(2499, int)),
            r"labels.npy: int64 of shape \(2499,\); needed are integers",
        ),
        (save("labels.npy", np.zeros(2500)), r"labels.npy: float64 of shape \(2500,\); needed are integers"),
        (
            save("add.npy", np.zeros((2495, 8, 8, 1), np.uint8)),
            r"shape \(2495, .*needed is uint8 \(2500, 8, 8, 1\)",
        ),
        (save("add.npy", np.zeros((2500, 8, 8, 3), np.uint8)), r"shape \(2500, 8, 8, 3\); needed"),
        (save("add.npy", np.zeros((2500, 8, 8, 1))), r"add.npy: float64 of shape"),
        (save("add.npy", np.array([{}])), r"add.npy: not a readable .npy file"),
    ],
)
def test_bad_files_give_one_line_before_training(folder: Path, data: ImageData, spoil, message: str) -> None:
    check_corruptions(task(folder), data.info, None)
    spoil(folder)
    with pytest.raises(DataError, match=message) as raised:
        check_corruptions(task(folder), data.info, None)
    assert "\n" not in str(raised.value)


def test_a_missing_folder(data: ImageData, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data not found at .*absent"):
        check_corruptions(task("absent"), data.info, tmp_path)


def test_an_unknown_form(data: ImageData) -> None:
    unknown = dataclasses.replace(
        task(""), probe=ProbeConfig(suite=("retrieval_corrupted",), corruptions="own")
    )
    with pytest.raises(ValueError, match="corruptions: got 'own'; allowed are built_in and npy:FOLDER"):
        check_corruptions(unknown, data.info, None)


def test_another_order_of_images_is_noticed(folder: Path, data: ImageData) -> None:
    labels = np.load(folder / "labels.npy")
    np.save(folder / "labels.npy", np.roll(labels, 1))
    with pytest.raises(DataError, match=r"labels.npy differs from the test set's labels in row \d+"):
        list(corrupted_copies(task(folder), data, "test", data_root=None))


def test_too_few_images_are_noticed(folder: Path, data: ImageData) -> None:
    for path in folder.glob("*.npy"):
        np.save(path, np.load(path)[:50])
    with pytest.raises(DataError, match=r"10 images a severity; the test set has \d+ or more"):
        list(corrupted_copies(task(folder), data, "test", data_root=None))
