"""Image folders: trees, labels, and faults named by file."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.config import DataConfig
from trainables.datasets.catalogue import describe_dataset, load_dataset
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


def test_other_size_is_named(tmp_path: Path) -> None:
    config = write_tree(tmp_path)
    write_image(tmp_path / "test" / "bee" / "images" / "1.png", 1, size=6)
    with pytest.raises(DataError, match=r"1.png: colour image of 6 pixels, .* of 5 pixels"):
        load_dataset(config, None)


def test_absent_part_empty_part_and_unknown_class(tmp_path: Path) -> None:
    (tmp_path / "train" / "ape").mkdir(parents=True)
    config = DataConfig(name=f"folder:{tmp_path}")
    with pytest.raises(DataError, match=r"train: no images; allowed are folders, one a class"):
        describe_dataset(config, None)
    write_image(tmp_path / "train" / "ape" / "0.png", 1)
    with pytest.raises(DataError, match=r"there is no folder .*val"):
        describe_dataset(config, None)
    write_image(tmp_path / "val" / "cow" / "0.png", 1)
    with pytest.raises(DataError, match="class 'cow' of the test images is unknown; allowed are ape"):
        describe_dataset(config, None)
