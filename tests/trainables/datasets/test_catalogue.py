"""Names of data sets resolve to the documented splits and limits, and unknown or absent ones are named."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.trainables.datasets.examples import DIGITS, open_own
from trainables.config import DataConfig
from trainables.datasets.datasets import DATASETS, describe_dataset, load_dataset
from trainables.datasets.source import DataError, Source


def test_digits_have_the_documented_splits() -> None:
    data = load_dataset(DIGITS, None)
    assert (data.info.n_train, data.info.n_val, data.info.n_test) == (997, 300, 500)
    assert (data.info.channels, data.info.size, data.info.views) == (1, 8, "digits")
    for split in data.splits.values():
        assert split.images.dtype == np.uint8
        assert split.images.shape == (len(split.labels), 1, 8, 8)
        assert split.labels.dtype == np.int64
        counts = np.bincount(split.labels)
        assert counts.max() - counts.min() <= 0.05 * len(split.labels) / 10 + 2


def test_digits_are_those_of_scikit_learn_each_in_one_split() -> None:
    bunch = load_digits()
    pixels = np.rint(bunch.images * 255 / 16).astype(np.uint8)
    expected = sorted((image.tobytes(), label) for image, label in zip(pixels, bunch.target, strict=True))
    data = load_dataset(DIGITS, None)
    found = [
        (image.tobytes(), label)
        for split in data.splits.values()
        for image, label in zip(split.images, split.labels, strict=True)
    ]
    assert sorted(found) == expected


def test_digits_fingerprint_is_frozen() -> None:
    """It stands in every trial's id: when it changes, every record of digits is orphaned."""
    assert describe_dataset(DIGITS, None).fingerprint == "a79e829c01a4795ad6bf65dcd9af3f7f"


def test_description_says_what_loading_gives_and_both_are_cached() -> None:
    config = DataConfig(name="digits", train_limit=50, test_limit=20)
    data = load_dataset(config, None)
    assert data.info == describe_dataset(config, None)
    assert [len(split.labels) for split in data.splits.values()] == [50, 20, 20]
    assert load_dataset(config, None) is data


def test_limits_are_prefixes_of_the_splits() -> None:
    whole = load_dataset(DIGITS, None)
    part = load_dataset(DataConfig(name="digits", train_limit=40, test_limit=30), None)
    for name, split in part.splits.items():
        np.testing.assert_array_equal(split.images, whole.splits[name].images[: len(split.labels)])
    assert np.bincount(part.train.labels).tolist() == [4] * 10


@pytest.mark.parametrize(("field", "limit"), [("train_limit", 998), ("train_limit", 0), ("test_limit", 501)])
def test_limit_beyond_the_set_is_refused(field: str, limit: int) -> None:
    with pytest.raises(DataError, match=rf"{field}: got {limit}; .* allows 1 to \d+"):
        describe_dataset(DataConfig(name="digits", **{field: limit}), None)


@pytest.mark.parametrize(
    "name", ["digit", "digits:x", "parquet", "parquet:", "no_package.there:open_mine", ""]
)
def test_unknown_name_lists_what_is_allowed(name: str) -> None:
    with pytest.raises(DataError) as caught:
        describe_dataset(DataConfig(name=name), Path("/"))
    assert repr(name) in str(caught.value)
    assert all(entry.form in str(caught.value) for entry in DATASETS.values())


@pytest.mark.parametrize(
    "name", ["cifar10", "stl10", "imagenet100", "tiny_imagenet", "parquet:mine", "folder:mine"]
)
def test_absent_data_says_where_it_was_looked_for_and_how_to_give_a_root(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--data-root or STUDY_DATA_ROOT") as caught:
        describe_dataset(DataConfig(name=name), tmp_path)
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(DataError, match="no data root is set; give one by --data-root or STUDY_DATA_ROOT"):
        describe_dataset(DataConfig(name=name), None)


def test_own_data_set_by_import_path_and_its_unlabelled_images() -> None:
    data = load_dataset(DataConfig(name="tests.trainables.datasets.examples:open_own"), None)
    assert (data.info.n_train, data.info.n_unlabelled, data.info.n_val) == (36, 7, 4)
    assert set(data.train.labels) == {0, 1}
    np.testing.assert_array_equal(data.pretraining[:36], data.train.images)
    assert set(data.pretraining[36:, 0, 0, 0]) == set(range(40, 47))
    assert load_dataset(DataConfig(name="tests.trainables.datasets.examples:open_own"), None) is data


def test_one_class_is_refused() -> None:
    with pytest.raises(DataError, match="training images of 1 class; at least two"):
        describe_dataset(DataConfig(name=f"{__name__}:open_one_class_with_images"), None)


def open_one_class_with_images(_data_root: Path | None) -> Source:
    source = open_own(None)
    return Source(**{**vars(source), "train_labels": source.train_labels.clip(max=0)})


def open_wrong_shape(_data_root: Path | None) -> Source:
    source = open_own(None)
    return Source(**{**vars(source), "decode": lambda _, rows: np.zeros((len(rows), 4, 4, 3), np.uint8)})


def test_own_set_that_decodes_to_another_shape_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"decode\('train', ...\): got uint8 \(\d+, 4, 4, 3\); allowed is uint8"
    ):
        load_dataset(DataConfig(name=f"{__name__}:open_wrong_shape"), None)


def test_all_splits_are_views_of_one_array() -> None:
    data = load_dataset(DataConfig(name="tests.trainables.datasets.examples:open_own"), None)
    assert data.images.flags.c_contiguous
    for part in (data.pretraining, *(split.images for split in data.splits.values())):
        assert np.shares_memory(part, data.images)
    assert len(data.images) == len(data.pretraining) + len(data.val.labels) + len(data.test.labels)


@pytest.mark.parametrize("name", ["digits", "cifar10", "tests.trainables.datasets.examples:open_own"])
def test_size_is_for_encoded_images_alone(name: str) -> None:
    with pytest.raises(
        DataError, match=r"data.size: got 4 for .*; allowed are .* imagenet100, .* folder:PATH"
    ):
        describe_dataset(DataConfig(name=name, size=4), Path("/"))


def test_catalogues_import_neither_torch_nor_image_libraries() -> None:
    code = (
        "import sys, trainables.datasets.datasets\n"
        "import trainables.views.recipes, trainables.encoders.encoders\n"
        "print([name for name in ('torch', 'torchvision', 'sklearn', 'PIL') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
