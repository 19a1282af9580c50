"""ImageNet-100 and Tiny ImageNet are read from folders in their published layouts."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.config import DataConfig
from trainables.datasets import imagenet
from trainables.datasets.datasets import describe_dataset, download_dataset, load_dataset
from trainables.datasets.source import DataError

TINY = DataConfig(name="tiny_imagenet")


def write(path: Path, value: int, shape: tuple[int, int] = (64, 64), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, shape, (value,) * 3 if mode == "RGB" else value).save(path)


def write_tiny(root: Path) -> Path:
    """Two classes with values 0 to 9 and 100 to 109; the images of val stand unordered in one folder."""
    folder, lines = root / "tiny-imagenet-200", []
    for label, name in enumerate(("n01", "n02")):
        for i in range(10):
            write(folder / "train" / name / "images" / f"{name}_{i}.JPEG", 100 * label + i)
        (folder / "train" / name / f"{name}_boxes.txt").write_text("0 0 63 63")
    for i in range(6):
        write(folder / "val" / "images" / f"val_{i}.JPEG", 100 * (i % 2) + i)
        lines.append(f"val_{i}.JPEG\tn0{i % 2 + 1}\t0\t32\t44\t62")
        write(folder / "test" / "images" / f"test_{i}.JPEG", i)
    (folder / "val" / "val_annotations.txt").write_text("\n".join(lines) + "\n")
    return folder


def test_tiny_imagenet_as_published(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    data = load_dataset(TINY, tmp_path)
    assert (data.info.n_train, data.info.n_val, data.info.n_test) == (18, 2, 6)
    assert (data.info.classes, data.info.channels, data.info.size) == (("n01", "n02"), 3, 64)
    for split in data.splits.values():
        np.testing.assert_array_equal(split.labels, split.images[:, 0, 0, 0] >= 90)


def test_tiny_imagenet_is_any_folder_too(tmp_path: Path) -> None:
    """Some images are grey, so the set needs `size` if it is opened by path, but not by name."""
    folder = write_tiny(tmp_path)
    write(folder / "train" / "n01" / "images" / "n01_0.JPEG", 9, mode="L")
    info = describe_dataset(TINY, tmp_path)
    assert info.channels == 3
    with pytest.raises(DataError, match="mixed images"):
        describe_dataset(DataConfig(name=f"folder:{folder}"), None)
    assert (
        describe_dataset(DataConfig(name=f"folder:{folder}", size=64), None).fingerprint == info.fingerprint
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("val_9.JPEG\tn01\t0\t0\t1\t1", "there is no file .*val_9.JPEG"),
        (
            "val_0.JPEG n01",
            r"val_annotations.txt, line 7: got 'val_0.JPEG n01'; allowed are FILE, tab, CLASS",
        ),
        ("val_0.JPEG\tn03", "class 'n03' of the test images is unknown; allowed are n01, n02"),
    ],
)
def test_wrong_annotation_is_named(tmp_path: Path, line: str, said: str) -> None:
    with (write_tiny(tmp_path) / "val" / "val_annotations.txt").open("a") as file:
        file.write(line)
    with pytest.raises(DataError, match=said):
        describe_dataset(TINY, tmp_path)


def test_image_without_annotation_is_named(tmp_path: Path) -> None:
    write(write_tiny(tmp_path) / "val" / "images" / "val_9.JPEG", 1)
    with pytest.raises(DataError, match=r"val_9.JPEG: the image has no line in .*val_annotations.txt"):
        describe_dataset(TINY, tmp_path)


def test_fingerprint_follows_the_annotations(tmp_path: Path) -> None:
    file = write_tiny(tmp_path) / "val" / "val_annotations.txt"
    before = describe_dataset(TINY, tmp_path).fingerprint
    file.write_text(file.read_text().replace("val_0.JPEG\tn01", "val_0.JPEG\tn02"))
    assert describe_dataset(TINY, tmp_path).fingerprint != before


@pytest.mark.parametrize("place", ["imagenet100", "imagenet-100"])
def test_imagenet100_brings_all_shapes_to_one(tmp_path: Path, place: str) -> None:
    for part, count in (("train", 10), ("val", 2)):
        for name in ("n01", "n02"):
            for i in range(count):
                write(tmp_path / place / part / name / f"{i}.JPEG", i, shape=(40 + i, 30))
    write(tmp_path / place / "train" / "n01" / "0.JPEG", 3, shape=(20, 30), mode="L")
    assert describe_dataset(DataConfig(name="imagenet100"), tmp_path).size == 224
    data = load_dataset(DataConfig(name="imagenet100", size=16), tmp_path)
    assert data.images.shape == (24, 3, 16, 16)
    assert (data.info.n_test, data.info.views) == (4, "imagenet")


def test_absent_sets_say_where_and_how(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        describe_dataset(DataConfig(name="imagenet100"), tmp_path)
    for said in (f"{tmp_path}/imagenet100 and {tmp_path}/imagenet-100", "train/WNID/*.JPEG", "image-net.org"):
        assert said in str(caught.value)
    with pytest.raises(DataError) as caught:
        describe_dataset(TINY, tmp_path)
    for said in (
        f"{tmp_path}/tiny-imagenet-200",
        f"study data tiny_imagenet --data-root {tmp_path} --download",
    ):
        assert said in str(caught.value)


def test_download_unpacks_the_archive_in_one_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive lies there already; its checksum is that of the published one, which a small one cannot have."""
    source = write_tiny(tmp_path / "made")
    with zipfile.ZipFile(tmp_path / "tiny-imagenet-200.zip", "w") as archive:
        for path in sorted(source.rglob("*")):
            archive.write(path, path.relative_to(source.parent))
    monkeypatch.setattr(imagenet, "_TINY_MD5", None)
    download_dataset("tiny_imagenet", tmp_path)
    assert describe_dataset(TINY, tmp_path) == describe_dataset(TINY, tmp_path / "made")
    assert {path.name for path in tmp_path.iterdir()} == {
        "made",
        "tiny-imagenet-200",
        "tiny-imagenet-200.zip",
    }


def test_damaged_archive_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny-imagenet-200.zip").write_bytes(b"no archive")
    monkeypatch.setattr(imagenet, "_TINY_MD5", None)
    with pytest.raises(DataError, match=r"download of 'tiny_imagenet' into .* failed: "):
        download_dataset("tiny_imagenet", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny-imagenet-200.zip"]
