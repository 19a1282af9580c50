"""Image sets of other people: images that decode to a huge size, pipes and devices, and formats that run programs."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.trainables.datasets.parquet_files import (
    IMAGE_TYPE,
    config,
    encode,
    random_pixels,
    write,
    write_set,
)
from trainables.config import DataConfig
from trainables.datasets.datasets import describe_dataset, load_dataset
from trainables.datasets.images import Form, decode_images, image_header
from trainables.datasets.parquet_columns import find_columns, read_labels
from trainables.datasets.source import AbsentDataError, DataError
from trainables.evaluation.corruptions.published import check_published


def png(width: int, height: int) -> bytes:
    """The file of an image of this size without its pixels, of which only the header is read."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("side", "pixels"),
    [((10_000, 9_000), "10000x9000|more"), ((60_000, 60_000), "more"), ((2**30, 2**30), "more")],
)
def test_an_image_of_too_many_pixels_is_not_decoded(side: tuple[int, int], pixels: str) -> None:
    with pytest.raises(
        DataError, match=rf"^a.png: an image of ({pixels}) pixels; at most 89,478,485 pixels are"
    ):
        image_header(png(*side), "a.png")


def test_a_narrow_image_is_fitted() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (1, 100_000)).save(stream, format="PNG")
    images = decode_images([("a.png", stream.getvalue())], 1, Form(channels=3, size=8, fit=True))
    assert images.shape == (1, 3, 8, 8)


def test_an_image_with_a_text_that_grows_without_end() -> None:
    text = zlib.compress(b"\0" * 5_000_000, 9)
    data = b"key\0\0" + text
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    whole = png(4, 4)
    with pytest.raises(DataError, match=r"^a.png: (not a readable image|the image is damaged)"):
        decode_images([("a.png", whole[:33] + chunk + whole[33:])], 1, Form(channels=3, size=4))


def test_a_format_that_runs_another_program_is_not_read() -> None:
    encapsulated = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"
    with pytest.raises(DataError, match=r"^a.png: not a readable image"):
        image_header(encapsulated, "a.png")


def grow(path: Path, size: int) -> None:
    """A file of this size without content, which takes no room on the disk."""
    path.touch()
    os.truncate(path, size)


def tree(root: Path) -> Path:
    for part in ("train", "test"):
        for name in ("ape", "bee"):
            (root / part / name).mkdir(parents=True)
            for number in range(10):
                (root / part / name / f"{number}.png").write_bytes(encode(random_pixels(1)[0]))
    return root / "train" / "bee" / "0.png"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "is a pipe, must be a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device, must be a regular file"),
        (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links"),
        (lambda path: grow(path, 200_000_000), "at most 100,000,000 are read"),
    ],
)
def test_what_is_no_image_file(make: Callable[[Path], object], said: str, tmp_path: Path) -> None:
    path = tree(tmp_path)
    path.unlink()
    make(path)
    with pytest.raises(DataError, match=rf"^{path}: cannot be read \(.*{said}\)$"):
        describe_dataset(DataConfig(name=f"folder:{tmp_path}"), None)


def test_links_of_folders_in_a_circle_are_not_followed(tmp_path: Path) -> None:
    path = tree(tmp_path)
    (path.parent / "again").symlink_to(tmp_path / "train")
    assert describe_dataset(DataConfig(name=f"folder:{tmp_path}"), None).n_test == 20


def test_a_size_that_no_image_can_have(tmp_path: Path) -> None:
    tree(tmp_path)
    with pytest.raises(DataError, match=r"^data.size: got 65536, must be at most 9459$"):
        describe_dataset(DataConfig(name=f"folder:{tmp_path}", size=65536), None)


def test_a_pipe_in_place_of_a_parquet_file(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / "test.parquet").unlink()
    os.mkfifo(tmp_path / "test.parquet")
    with pytest.raises(
        DataError, match=r"test.parquet: cannot be read \(is a pipe, must be a regular file\)$"
    ):
        describe_dataset(config(tmp_path), None)


def test_an_image_that_every_row_names_is_decoded_in_parts(tmp_path: Path) -> None:
    """The file holds one image of 100 kB once. All rows together are 60 MB of encoded bytes."""
    image = encode(random_pixels(1, size=6)[0]) + b"\0" * 100_000
    shared = pa.DictionaryArray.from_arrays(pa.array(np.zeros(600, dtype="int32")), pa.array([image]))
    labels = pa.array([0, 1] * 300)
    for part in ("train", "test"):
        pq.write_table(
            pa.table({"img": shared, "label": labels}), tmp_path / f"{part}.parquet", store_schema=False
        )
    assert (tmp_path / "train.parquet").stat().st_size < 200_000
    data = load_dataset(config(tmp_path, train_limit=300, test_limit=100), None)
    assert data.info.n_train == 300


def test_a_parquet_file_of_too_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_set(tmp_path)
    monkeypatch.setattr("trainables.datasets.parquet_columns._MOST_ROWS", 39)
    with pytest.raises(DataError, match=r"train.parquet: 40 rows; at most 39 are read$"):
        describe_dataset(config(tmp_path), None)


def test_a_label_that_every_row_names_is_in_memory_once(tmp_path: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(
        pa.array(np.arange(200, dtype="int32") % 2), pa.array(["a" * 50_000, "b"])
    )
    path = tmp_path / "train.parquet"
    images = pa.array([{"bytes": b"", "path": None}] * 200, type=IMAGE_TYPE)
    pq.write_table(pa.table({"img": images, "label": texts}), path, store_schema=False, row_group_size=50)
    labels = read_labels(path, find_columns([path]))
    assert list(labels) == ["a" * 50_000, "b"] * 100
    assert len({id(label) for label in labels}) <= 8


def test_labels_without_end(tmp_path: Path) -> None:
    write_set(tmp_path)
    write(tmp_path / "train.parquet", list(map(encode, random_pixels(4))), pa.array([0, 1, 10**9, 1]))
    with pytest.raises(DataError, match=r"label 1000000000 in row 2; allowed are 0 to 3$"):
        describe_dataset(config(tmp_path), None)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<i8', 'fortran_order': False, 'shape': (10**15,), }",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000000,), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    ],
)
def test_an_array_that_its_file_does_not_hold(header: str, tmp_path: Path) -> None:
    text = header.ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + b"\0" * 64
    (tmp_path / "labels.npy").write_bytes(content)
    (tmp_path / "fog.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"labels.npy: not a readable .npy file, truncated or damaged$"):
        check_published(str(tmp_path), None, channels=3, size=8)


def test_a_pipe_in_place_of_an_array(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.npy")
    np.save(tmp_path / "fog.npy", np.zeros(3))
    with pytest.raises(DataError, match=r"labels.npy: not a readable .npy file"):
        check_published(str(tmp_path), None, channels=3, size=8)


def test_an_absent_set_is_told_from_an_impossible_path(tmp_path: Path) -> None:
    with pytest.raises(AbsentDataError, match="data not found at"):
        describe_dataset(DataConfig(name=f"folder:{tmp_path}/absent"), None)
    with pytest.raises(DataError, match=r"^data: cannot read .*: File name too long$"):
        describe_dataset(DataConfig(name=f"folder:{tmp_path}/{'x' * 10_000}"), None)
