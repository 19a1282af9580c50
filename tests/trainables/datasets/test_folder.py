"""Image folders give their images and labels, and a fault is named with its file."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.config import DataConfig
from trainables.datasets.datasets import describe_dataset, load_dataset
from trainables.datasets.source import DataError


def write_image(path: Path, value: int, size: int = 5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size, size, 3), value, dtype=np.uint8)).save(path)


def write_tree(root: Path, test: str = "test") -> DataConfig:
    """Two classes, whose images have the values 0 to 9 and 100 to 109; below each a folder."""
    for part, count in (("train", 10), (test, 3)):
        for label, name in enumerate(("ape", "bee")):
            for i in range(count):
                write_image(root / part / name / "images" / f"{i}.png", 100 * label + i)
    (root / "train" / "ape" / "notes.txt").write_text("not an image")
    return DataConfig(name=f"folder:{root}")


@pytest.mark.parametrize("test", ["test", "val"])
def test_images_carry_the_label_of_their_folder(tmp_path: Path, test: str) -> None:
    data = load_dataset(write_tree(tmp_path, test), None)
    assert (data.info.n_train, data.info.n_val, data.info.n_test) == (18, 2, 6)
    assert data.info.classes == ("ape", "bee")
    for split in data.splits.values():
        assert split.images.shape[1:] == (3, 5, 5)
        np.testing.assert_array_equal(split.labels, split.images[:, 0, 0, 0] >= 100)


def test_fingerprint_changes_with_content_and_with_labels(tmp_path: Path) -> None:
    config = write_tree(tmp_path)
    prints = [describe_dataset(config, None).fingerprint]
    write_image(tmp_path / "train" / "ape" / "images" / "0.png", 55)
    prints.append(describe_dataset(config, None).fingerprint)
    images = tmp_path / "train"
    (images / "ape" / "images" / "9.png").rename(images / "bee" / "images" / "-1.png")
    prints.append(describe_dataset(config, None).fingerprint)
    assert len(set(prints)) == 3


def test_broken_file_is_named(tmp_path: Path) -> None:
    config = write_tree(tmp_path)
    (tmp_path / "test" / "bee" / "images" / "1.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"bee/images/1.png: not a readable image \(6 bytes\)"):
        load_dataset(config, None)


def test_truncated_file_is_named(tmp_path: Path) -> None:
    """Its header is whole, so that only decoding finds it."""
    config = write_tree(tmp_path)
    file = tmp_path / "test" / "bee" / "images" / "1.png"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"bee/images/1.png: the image is damaged"):
        load_dataset(config, None)


def test_vanished_file_is_named(tmp_path: Path) -> None:
    config = write_tree(tmp_path)
    (tmp_path / "test" / "bee" / "images" / "0.png").unlink()
    (tmp_path / "test" / "bee" / "images" / "0.png").symlink_to("nowhere")
    with pytest.raises(DataError, match=r"there is no file .*bee/images/0.png"):
        load_dataset(config, None)


def write_mixed(root: Path, odd: Image.Image) -> tuple[DataConfig, DataConfig]:
    """The tree with one other image in the test part; its configs without and with a size."""
    config = write_tree(root)
    odd.save(root / "test" / "bee" / "images" / "1.png")
    return config, DataConfig(name=config.name, size=4)


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (Image.new("RGB", (6, 5)), r"\(colour, 6x5 pixels\)"),
        (Image.new("L", (5, 5)), r"\(grey, 5x5 pixels\)"),
    ],
)
def test_mixed_images_are_named_and_a_size_makes_them_one(
    tmp_path: Path, odd: Image.Image, said: str
) -> None:
    config, sized = write_mixed(tmp_path, odd)
    for use in (describe_dataset, load_dataset):
        with pytest.raises(DataError, match=rf"mixed images: .*1.png {said} and .*0.png \(.* give data.size"):
            use(config, None)
    assert load_dataset(sized, None).images.shape[1:] == (3, 4, 4)


def test_grey_first_does_not_make_the_set_grey(tmp_path: Path) -> None:
    config = write_tree(tmp_path)
    Image.new("L", (5, 5), 7).save(tmp_path / "train" / "ape" / "images" / "0.png")
    with pytest.raises(DataError, match=r"mixed images: .*colour.* and .*grey.* give data.size"):
        describe_dataset(config, None)
    data = load_dataset(DataConfig(name=config.name, size=5), None)
    assert data.info.channels == 3
    assert (data.images == 7).all(axis=(1, 2, 3)).sum() == 2  # the grey one, and a colour one of that value


def test_fitting_is_a_resize_of_the_shorter_side_and_a_centre_crop(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (10, 30, 3), dtype=np.uint8)
    wide = Image.fromarray(pixels)
    config, _ = write_mixed(tmp_path, wide)
    data = load_dataset(DataConfig(name=config.name, size=5), None)
    two_steps = np.asarray(wide.resize((15, 5), Image.Resampling.BICUBIC).crop((5, 0, 10, 5)))
    expected = two_steps.transpose(2, 0, 1).astype(int)
    assert (np.abs(data.test.images - expected).max(axis=(1, 2, 3)) <= 1).sum() == 1


def test_fitting_to_their_own_size_changes_nothing(tmp_path: Path) -> None:
    config = write_tree(tmp_path)
    fitted = load_dataset(DataConfig(name=config.name, size=5), None)
    np.testing.assert_array_equal(fitted.images, load_dataset(config, None).images)


def test_second_process_reads_no_image(tmp_path: Path, cache: Path) -> None:
    """What a first process found out and decoded is on disk; only the files' states are looked at."""
    config = write_tree(tmp_path)
    data = load_dataset(config, None)
    code = (
        "import sys, pathlib\n"
        "pathlib.Path.read_bytes = None\n"
        "from trainables.config import DataConfig\n"
        "from trainables.datasets.datasets import load_dataset\n"
        "data = load_dataset(DataConfig(name=sys.argv[1]), None)\n"
        "print(data.info.fingerprint, data.images.sum())"
    )
    output = subprocess.check_output([sys.executable, "-c", code, config.name], text=True)
    assert output == f"{data.info.fingerprint} {data.images.sum()}\n"
    assert len(list(cache.glob("images/*.npy"))) == 1


def test_other_limits_and_sizes_are_other_arrays(tmp_path: Path, cache: Path) -> None:
    config = write_tree(tmp_path)
    for words in ({}, {"train_limit": 4}, {"size": 4}, {"classes": ("bee", "ape")}):
        load_dataset(DataConfig(name=config.name, **words), None)
    assert len(list(cache.glob("images/*.npy"))) == 3  # both classes are the whole set


@pytest.mark.parametrize(
    ("suffix", "exact"),
    [(".bmp", True), (".BMP", True), (".gif", True), (".GIF", True), (".jpg", False), (".JPEG", False),
     (".png", True), (".PNG", True), (".tif", True), (".tiff", True), (".TIF", True), (".webp", False)],
)  # fmt: skip
def test_formats_of_images(tmp_path: Path, suffix: str, exact: bool) -> None:
    for part, count in (("train", 4), ("test", 2)):
        for label, name in enumerate(("ape", "bee")):
            for i in range(count):
                write_image(tmp_path / part / name / f"{i}{suffix}", 100 * label + 10 * i)
    data = load_dataset(DataConfig(name=f"folder:{tmp_path}"), None)
    values = data.images[:, 0, 0, 0].astype(int)
    expected = sorted([0, 10, 20, 30, 100, 110, 120, 130, 0, 10, 100, 110])
    assert np.abs(np.sort(values) - expected).max() <= (0 if exact else 3)
    assert data.train.labels.tolist() == (data.train.images[:, 0, 0, 0] >= 90).tolist()


@pytest.mark.parametrize("suffix", [".gif", ".tif"])
def test_the_first_of_several_images_in_a_file_is_read_and_this_is_said(tmp_path: Path, suffix: str) -> None:
    config = write_tree(tmp_path)
    frames = [Image.fromarray(np.full((5, 5, 3), value, dtype=np.uint8)) for value in (41, 42)]
    frames[0].save(tmp_path / "test" / "bee" / f"9{suffix}", save_all=True, append_images=frames[1:])
    data = load_dataset(config, None)
    assert (data.test.images == 41).all(axis=(1, 2, 3)).sum() == 1
    assert not (data.test.images == 42).all(axis=(1, 2, 3)).any()
    assert data.info.notes[0] == f"only the first image of each {suffix} file is read"


def test_what_is_read_and_what_is_not_is_said(tmp_path: Path) -> None:
    config = write_tree(tmp_path)
    for name in (
        "train/ape/a.svg",
        "train/bee/b.SVG",
        "test/bee/c.svg",
        "test/d",
        ".hidden",
        "train/ape/.e.png",
    ):
        (tmp_path / name).write_text("")
    write_image(tmp_path / "train" / "outside.png", 1)
    write_image(tmp_path / "val" / "ape" / "0.png", 1)
    write_image(tmp_path / "more" / "ape" / "0.png", 1)
    info = describe_dataset(config, None)
    assert info.found == "train from train (20 files); test from test (6 files)"
    assert info.notes == (
        "not read: folder more",
        "val is not used; a validation split is a tenth of train",
        "not read: 3 .svg files, 1 .txt file, 1 file without a suffix, 1 image outside the folders of classes",
    )


def test_notes_do_not_change_the_fingerprint(tmp_path: Path) -> None:
    """It stands in every trial's id, and covers the images alone."""
    config = write_tree(tmp_path)
    before = describe_dataset(config, None).fingerprint
    assert before == "cd56aeb76680d9645417083c484cbccf"
    (tmp_path / "train" / "ape" / "a.svg").write_text("")
    write_image(tmp_path / "val" / "ape" / "0.png", 1)
    assert describe_dataset(config, None).fingerprint == before


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_a_validation_folder_is_the_test_split_without_a_test_folder(tmp_path: Path, name: str) -> None:
    info = describe_dataset(write_tree(tmp_path, name), None)
    assert info.n_test == 6
    assert info.notes[0] == f"{name} is the test split, because there is no test part"


def test_absent_part_empty_part_and_unknown_class(tmp_path: Path) -> None:
    (tmp_path / "train" / "ape").mkdir(parents=True)
    config = DataConfig(name=f"folder:{tmp_path}")
    with pytest.raises(DataError, match=r"train: no images; allowed are folders, one a class"):
        describe_dataset(config, None)
    write_image(tmp_path / "train" / "ape" / "0.png", 1)
    with pytest.raises(DataError, match=r"there is no folder .*/val; .* has train"):
        describe_dataset(config, None)
    write_image(tmp_path / "val" / "cow" / "0.png", 1)
    with pytest.raises(DataError, match="class 'cow' of the test images is unknown; allowed are ape"):
        describe_dataset(config, None)
    (tmp_path / "train" / "bee").mkdir()
    with pytest.raises(DataError, match="train/bee: no images"):
        describe_dataset(config, None)


def test_one_class_alone_is_refused(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for i in range(4):
            write_image(tmp_path / part / "ape" / f"{i}.png", i)
    with pytest.raises(DataError, match="training images of 1 class; at least two"):
        describe_dataset(DataConfig(name=f"folder:{tmp_path}"), None)
