"""Parquet image sets give their images and labels, and every fault of a file gives one line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.trainables.datasets.parquet_files import config, encode, random_pixels, write, write_set
from trainables.config import DataConfig
from trainables.datasets.datasets import describe_dataset, load_dataset
from trainables.datasets.files import file_states, files_fingerprint
from trainables.datasets.source import DataError


@pytest.mark.parametrize("colour", [True, False])
def test_pixels_and_labels_come_back(tmp_path: Path, colour: bool) -> None:
    pixels = write_set(tmp_path, colour=colour)
    data = load_dataset(config(tmp_path), None)
    assert (data.info.n_train, data.info.n_val, data.info.n_test) == (36, 4, 20)
    assert (data.info.channels, data.info.size) == (3 if colour else 1, 6)
    found = {
        (image.tobytes(), int(label))
        for split in (data.train, data.val)
        for image, label in zip(split.images, split.labels, strict=True)
    }
    channels_first = pixels["train"].reshape(40, 6, 6, -1).transpose(0, 3, 1, 2)
    assert found == {(image.tobytes(), row % 2) for row, image in enumerate(channels_first)}


def test_class_names_come_from_the_metadata(tmp_path: Path) -> None:
    write_set(tmp_path, names=["cat", "dog", "never seen"])
    assert describe_dataset(config(tmp_path), None).classes == ("cat", "dog", "never seen")


def test_relative_name_is_looked_up_under_the_root(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    write_set(tmp_path / "mine")
    assert describe_dataset(DataConfig(name="parquet:mine"), tmp_path).n_train == 36


def test_fingerprint_follows_the_bytes_and_not_the_place(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_set(tmp_path / name)
    before = [describe_dataset(config(tmp_path / name), None).fingerprint for name in ("a", "b")]
    assert before[0] == before[1]
    write_set(tmp_path / "b", names=["x", "y"])
    assert describe_dataset(config(tmp_path / "b"), None).fingerprint != before[0]


def test_only_the_rows_that_are_needed_are_decoded(tmp_path: Path) -> None:
    write_set(tmp_path)
    kept = load_dataset(config(tmp_path, train_limit=4, test_limit=2), None)
    encoded = [encode(pixels) for pixels in random_pixels(40)]
    needed = {image.tobytes() for split in (kept.train, kept.val) for image in split.images}
    bare = [p.transpose(2, 0, 1).tobytes() for p in random_pixels(40)]
    broken = [data if i == 0 or bare[i] in needed else b"broken" for i, data in enumerate(encoded)]
    write(tmp_path / "train.parquet", broken, pa.array([0, 1] * 20))
    again = load_dataset(config(tmp_path, train_limit=4, test_limit=2), None)
    np.testing.assert_array_equal(again.train.images, kept.train.images)
    with pytest.raises(DataError, match=r"train.parquet, row \d+: not a readable image \(6 bytes\)"):
        load_dataset(config(tmp_path), None)


def test_grey_image_in_a_colour_set_becomes_colour(tmp_path: Path) -> None:
    write_set(tmp_path)
    flat = np.full((6, 6), 77, dtype=np.uint8)
    write(tmp_path / "test.parquet", [encode(flat)] * 4, pa.array([0, 1] * 2))
    assert (load_dataset(config(tmp_path), None).test.images == 77).all()


def truncate(folder: Path) -> None:
    whole = (folder / "train.parquet").read_bytes()
    (folder / "train.parquet").write_bytes(whole[: len(whole) // 2])


def damage_pages(folder: Path) -> None:
    whole = bytearray((folder / "train.parquet").read_bytes())
    whole[: len(whole) // 2] = bytes(len(whole) // 2)
    (folder / "train.parquet").write_bytes(bytes(whole))


def rename_columns(folder: Path) -> None:
    table = pq.read_table(folder / "train.parquet")
    pq.write_table(table.rename_columns(["img", "kind"]), folder / "train.parquet")


def drop_images(folder: Path) -> None:
    pq.write_table(pa.table({"label": [0, 1], "size": [1.0, 2.0]}), folder / "train.parquet")


def with_labels(labels: pa.Array) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        encoded = [encode(pixels) for pixels in random_pixels(len(labels))]
        write(folder / "test.parquet", encoded, labels)

    return change


def with_train_labels(labels: pa.Array) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        write(folder / "train.parquet", [encode(pixels) for pixels in random_pixels(len(labels))], labels)

    return change


def with_image(data: bytes | None) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        write(folder / "test.parquet", [encode(random_pixels(1)[0]), data], pa.array([0, 1]))

    return change


def empty_test_file(folder: Path) -> None:
    write(folder / "test.parquet", [], pa.array([], type=pa.int64()))


def no_test_file(folder: Path) -> None:
    (folder / "test.parquet").unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (truncate, "train.parquet: not a readable Parquet file, truncated or damaged"),
        (damage_pages, "train.parquet: not a readable Parquet file, truncated or damaged"),
        (rename_columns, r"no column label .* columns are img \(struct.*\), kind \(int64\)"),
        (drop_images, r"no image column, that is a struct .* columns are label \(int64\), size \(double\)"),
        (with_labels(pa.array(["a", "b"])), "labels are text; those of the training images are numbers"),
        (
            with_labels(pa.array([0, 1, 2, 1])),
            "test.parquet: label 2 in row 2; the training images have 0, 1",
        ),
        (with_labels(pa.array([0, -3])), "test.parquet: label -3 in row 1; the training images have 0, 1"),
        (with_labels(pa.array([0, None], type=pa.int64())), "test.parquet: no label in row 1"),
        (with_train_labels(pa.array([0, 10**12])), r"train.parquet: label 10+ in row 1; allowed are 0 to 1"),
        (with_train_labels(pa.array([1, 1])), "training images of 1 class; at least two"),
        (empty_test_file, "the test split has no labelled images"),
        (no_test_file, "there is no file .*test.parquet"),
    ],
)
def test_faults_are_found_before_anything_is_decoded(
    tmp_path: Path, change: Callable[[Path], None], message: str
) -> None:
    write_set(tmp_path)
    change(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        describe_dataset(config(tmp_path), None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no image", r"row 1: not a readable image \(8 bytes\)"),
        (None, r"row 1: not a readable image \(0 bytes\)"),
        (encode(random_pixels(1)[0])[:-40], "row 1: the image is damaged"),
        (encode(random_pixels(1, size=7)[0]), "row 1: colour image of 7 pixels, .* colour of 6 pixels"),
        (encode(random_pixels(1)[0][:5]), "row 1: image of 6x5 pixels; only square"),
        (encode(random_pixels(1, colour=False)[0].astype(np.uint16)), "row 1: image of mode I"),
    ],
)
def test_broken_images_are_named_by_row(tmp_path: Path, data: bytes | None, message: str) -> None:
    write_set(tmp_path)
    with_image(data)(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(config(tmp_path), None)
    assert "\n" not in str(caught.value)


def test_size_brings_images_of_any_shape_to_one(tmp_path: Path) -> None:
    write_set(tmp_path)
    with_image(encode(random_pixels(1)[0][:5]))(tmp_path)
    data = load_dataset(DataConfig(name=f"parquet:{tmp_path}", size=4), None)
    assert data.images.shape[1:] == (3, 4, 4)


def test_real_images(cifar10_root: Path) -> None:
    config = DataConfig(name="parquet:cifar10_jpeg", train_limit=200, test_limit=100)
    data = load_dataset(config, cifar10_root)
    assert data.info.classes[:3] == ("airplane", "automobile", "bird")
    assert (data.info.channels, data.info.size, data.info.views) == (3, 32, "cifar")
    assert np.bincount(data.train.labels).tolist() == [20] * 10
    assert np.bincount(data.test.labels).tolist() == [10] * 10
    assert data.train.images.shape == (200, 3, 32, 32)
    # Natural images: neighbouring pixels go together, which wrongly ordered axes would destroy.
    pixels = data.train.images.astype(float)
    step = np.abs(np.diff(pixels, axis=3)).mean()
    assert step < 0.35 * np.abs(pixels - pixels[::-1]).mean()


def test_whole_real_set_is_described_without_decoding(cifar10_root: Path) -> None:
    info = describe_dataset(DataConfig(name="parquet:cifar10_jpeg"), cifar10_root)
    assert (info.n_train, info.n_val, info.n_test) == (45_000, 5_000, 10_000)


def test_the_fingerprint_of_one_file_a_part_is_frozen(cifar10_root: Path) -> None:
    """It stands in every trial's id: when it changes, every record of such a set is orphaned."""
    info = describe_dataset(DataConfig(name="parquet:cifar10_jpeg"), cifar10_root)
    assert info.fingerprint == "55f33900b2664e097e8f5f24080d1e6d"


def test_shards_give_the_images_and_labels_of_one_file(tmp_path: Path) -> None:
    """Rows go on counting in the next shard; an error names the shard and the row in it."""
    whole, parts = tmp_path / "whole", tmp_path / "parts" / "data"
    whole.mkdir()
    parts.mkdir(parents=True)
    write_set(whole)
    table = pq.read_table(whole / "train.parquet")
    for number, (start, count) in enumerate(((0, 17), (17, 0), (17, 23))):
        pq.write_table(table.slice(start, count), parts / f"train-{number:05d}-of-00003.parquet")
    pq.write_table(pq.read_table(whole / "test.parquet"), parts / "test-00000-of-00001.parquet")
    one, many = (load_dataset(config(path), None) for path in (whole, parts.parent))
    for name, split in one.splits.items():
        np.testing.assert_array_equal(many.splits[name].images, split.images)
        np.testing.assert_array_equal(many.splits[name].labels, split.labels)
    assert many.info.fingerprint != one.info.fingerprint
    assert many.info.found == (
        "train from data/train-00000-of-00003.parquet to data/train-00002-of-00003.parquet (3 files); test from "
        "data/test-00000-of-00001.parquet; columns img and label"
    )
    encoded = [encode(pixels) for pixels in random_pixels(23)]
    write(parts / "train-00002-of-00003.parquet", [*encoded[:5], b"broken", *encoded[6:]], pa.array([0] * 23))
    with pytest.raises(DataError, match=r"train-00002-of-00003.parquet, row 5: not a readable image"):
        load_dataset(config(parts.parent), None)


def test_one_shard_a_part_is_the_set_of_one_file_a_part(tmp_path: Path) -> None:
    """The same bytes under the names of a hub give the same trials."""
    write_set(tmp_path)
    before = describe_dataset(config(tmp_path), None).fingerprint
    for part in ("train", "test"):
        (tmp_path / f"{part}.parquet").rename(tmp_path / f"{part}-00000-of-00001.parquet")
    assert describe_dataset(config(tmp_path), None).fingerprint == before


def test_a_binary_column_holds_the_images(tmp_path: Path) -> None:
    write_set(tmp_path)
    expected = load_dataset(config(tmp_path), None)
    for part in ("train", "test"):
        table = pq.read_table(tmp_path / f"{part}.parquet")
        encoded = [image["bytes"] for image in table.column("img").to_pylist()]
        bare = pa.table({"image": pa.array(encoded, pa.large_binary()), "label": table.column("label")})
        pq.write_table(bare, tmp_path / f"{part}.parquet")
    data = load_dataset(config(tmp_path), None)
    np.testing.assert_array_equal(data.images, expected.images)
    np.testing.assert_array_equal(data.train.labels, expected.train.labels)
    assert data.info.found.endswith("; columns image and label")


@pytest.mark.parametrize(
    ("values", "classes"),
    [([1, 2], ("1", "2")), ([3, 30], ("3", "30")), (["dog", "cat"], ("cat", "dog")), ([0, 1], ("0", "1"))],
)
def test_classes_without_names_are_the_values_that_occur(
    tmp_path: Path, values: list[int] | list[str], classes: tuple[str, ...]
) -> None:
    for part, count in (("train", 40), ("test", 20)):
        encoded = [encode(np.full((4, 4), row % 2, np.uint8)) for row in range(count)]
        labels = pa.array([values[row % 2] for row in range(count)])
        write(tmp_path / f"{part}.parquet", encoded, labels)
    data = load_dataset(config(tmp_path), None)
    assert data.info.classes == classes
    for split in data.splits.values():
        expected = [classes.index(str(values[pixel])) for pixel in split.images[:, 0, 0, 0]]
        assert split.labels.tolist() == expected
    assert data.info.smallest_class == 18


def test_labels_with_gaps_have_ids_of_their_own(tmp_path: Path) -> None:
    """Earlier versions counted the unused numbers as classes, under the fingerprint of the bytes alone."""
    for folder, labels in (("gap", [1, 2] * 20), ("none", [0, 1] * 20)):
        (tmp_path / folder).mkdir()
        for part in ("train", "test"):
            write(
                tmp_path / folder / f"{part}.parquet",
                list(map(encode, random_pixels(40))),
                pa.array(labels),
            )
        files = file_states(tmp_path / folder / f"{part}.parquet" for part in ("train", "test"))
        same = describe_dataset(config(tmp_path / folder), None).fingerprint == files_fingerprint(files)
        assert same == (folder == "none")


@pytest.mark.parametrize(
    "metadata", ["[]", "{bad", '{"info": null}', '{"info": {"features": {"label": {}}}}']
)
def test_odd_metadata_costs_the_names_alone(tmp_path: Path, metadata: str) -> None:
    write_set(tmp_path)
    for part in ("train", "test"):
        table = pq.read_table(tmp_path / f"{part}.parquet")
        pq.write_table(table.replace_schema_metadata({"huggingface": metadata}), tmp_path / f"{part}.parquet")
    assert describe_dataset(config(tmp_path), None).classes == ("0", "1")
