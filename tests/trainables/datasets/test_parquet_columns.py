"""Columns of images and labels are chosen by stated rules, and a choice or a fault is named in one line."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainables.datasets.parquet_columns import Columns, find_columns
from trainables.datasets.source import DataError

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def columns_of(path: Path, features: dict[str, object] | None = None, **types: pa.DataType) -> Columns:
    """The columns of an empty file with these types and this metadata."""
    metadata = {"huggingface": json.dumps({"info": {"features": features}})} if features else None
    pq.write_table(pa.schema(types.items(), metadata=metadata).empty_table(), path)
    return find_columns([path])


@pytest.mark.parametrize(
    ("types", "image", "label", "notes"),
    [
        ({"img": STRUCT, "label": pa.int64()}, "img.bytes", "label", ()),
        ({"pixels": STRUCT, "labels": pa.int8()}, "pixels.bytes", "labels", ()),
        ({"picture": pa.binary(), "fine_label": pa.int64()}, "picture", "fine_label", ()),
        ({"image": pa.large_binary(), "label": pa.string()}, "image", "label", ()),
        ({"mask": pa.binary(), "img": STRUCT, "label": pa.int64()}, "img.bytes", "label", ()),
        (
            {"depth": STRUCT, "image": STRUCT, "label": pa.int64()},
            "image.bytes",
            "label",
            ("images are column 'image', not 'depth'",),
        ),
        (
            {"img": STRUCT, "coarse_label": pa.int64(), "fine_label": pa.int64()},
            "img.bytes",
            "fine_label",
            ("labels are column 'fine_label', not 'coarse_label'",),
        ),
        (
            {"img": STRUCT, "fine_label": pa.int64(), "label": pa.int64(), "labels": pa.int64()},
            "img.bytes",
            "label",
            ("labels are column 'label', not 'labels' or 'fine_label'",),
        ),
    ],
)
def test_rules(
    tmp_path: Path, types: dict[str, pa.DataType], image: str, label: str, notes: tuple[str, ...]
) -> None:
    columns = columns_of(tmp_path / "a.parquet", **types)
    assert (columns.image, columns.label, columns.notes) == (image, label, notes)
    assert columns.text == (types[label] == pa.string())


def test_the_only_class_label_of_the_metadata_is_the_label(tmp_path: Path) -> None:
    digit = {"_type": "ClassLabel", "names": ["zero", "one"]}
    columns = columns_of(
        tmp_path / "a.parquet", {"digit": digit, "n": {"_type": "Value"}},
        image=STRUCT, n=pa.int64(), digit=pa.int64(),
    )  # fmt: skip
    assert (columns.label, columns.names) == ("digit", ("zero", "one"))


def test_class_names_are_those_of_the_chosen_column(tmp_path: Path) -> None:
    fine = {"_type": "ClassLabel", "names": ["a", "b"]}
    columns = columns_of(
        tmp_path / "a.parquet", {"fine_label": fine}, img=STRUCT, fine_label=pa.int64(), label=pa.int64()
    )
    assert (columns.label, columns.names) == ("label", None)


@pytest.mark.parametrize(
    ("types", "fault"),
    [
        (
            {"a": STRUCT, "b": STRUCT, "label": pa.int64()},
            "2 image columns, a, b; name one of them image or img",
        ),
        (
            {"a": pa.binary(), "b": pa.binary(), "label": pa.int64()},
            "2 image columns, a, b; name one of them",
        ),
        (
            {"img": pa.string(), "label": pa.int64()},
            "no image column, that is a struct with binary 'bytes' or a",
        ),
        ({"img": STRUCT, "kind": pa.int64()}, "no column label or labels or fine_label; columns are img ("),
        (
            {"img": STRUCT, "label": pa.float64()},
            "label column 'label' is double; allowed are integer types and",
        ),
        ({"img": STRUCT, "label": pa.list_(pa.int64())}, "label column 'label' is list<"),
    ],
)
def test_faults_are_one_line(tmp_path: Path, types: dict[str, pa.DataType], fault: str) -> None:
    with pytest.raises(DataError, match=r"a.parquet: ") as caught:
        columns_of(tmp_path / "a.parquet", **types)
    assert f"a.parquet: {fault}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_of_a_part_are_alike(tmp_path: Path) -> None:
    columns_of(tmp_path / "a.parquet", img=STRUCT, label=pa.int64())
    columns_of(tmp_path / "b.parquet", img=STRUCT, label=pa.string())
    with pytest.raises(DataError, match=r"b.parquet: columns img.bytes and label .* a.parquet"):
        find_columns([tmp_path / "a.parquet", tmp_path / "b.parquet"])


def test_a_git_lfs_pointer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(
        DataError, match=r"a.parquet: is a Git LFS pointer, not the file; download it with `git lfs"
    ):
        find_columns([path])
