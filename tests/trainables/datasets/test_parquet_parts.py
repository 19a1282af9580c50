"""The layouts of model hubs give the files of each part, and what is missing or not read is named in one line."""

from pathlib import Path

import pytest

from trainables.datasets.parquet_parts import Parts, find_parts
from trainables.datasets.source import DataError


def parts_of(root: Path, *names: str) -> Parts:
    """The parts of a folder with empty files of these names."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return find_parts(root)


def relative(root: Path, files: tuple[Path, ...]) -> list[str]:
    return [str(file.relative_to(root)) for file in files]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (["train.parquet"], ["test.parquet"]),
        (["data/train.parquet"], ["data/test.parquet"]),
        (
            ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"],
            ["data/test-00000-of-00001.parquet"],
        ),
        (["train-00000-of-00001.parquet"], ["test-00000-of-00001.parquet"]),
        (
            ["data/train-00000-of-00001-b42a2cb21a2f5a3e.parquet"],
            ["data/test-00000-of-00001-0c.parquet"],
        ),
        (["plain_text/train-00000-of-00001.parquet"], ["plain_text/test-00000-of-00001.parquet"]),
        (["default/train/0000.parquet", "default/train/0001.parquet"], ["default/test/0000.parquet"]),
        (["train/0000.parquet"], ["test/0000.parquet"]),
        (["train.parquet"], ["test-00000-of-00001.parquet"]),
    ],
)
def test_layouts(tmp_path: Path, train: list[str], test: list[str]) -> None:
    parts = parts_of(tmp_path, *reversed(train), *test, "README.md", ".hidden.parquet")
    assert (relative(tmp_path, parts.train), relative(tmp_path, parts.test)) == (train, test)
    assert parts.notes == ()
    assert parts.found.startswith(f"train from {train[0]}")
    assert f"; test from {test[0]}" in parts.found


@pytest.mark.parametrize("name", ["validation", "valid", "val"])
def test_a_validation_part_is_the_test_split_only_without_a_test_part(tmp_path: Path, name: str) -> None:
    parts = parts_of(tmp_path, "data/train-00000-of-00001.parquet", f"data/{name}-00000-of-00001.parquet")
    assert relative(tmp_path, parts.test) == [f"data/{name}-00000-of-00001.parquet"]
    assert parts.notes == (f"{name} is the test split, because there is no test part",)
    parts = parts_of(tmp_path, "data/test-00000-of-00001.parquet")
    assert relative(tmp_path, parts.test) == ["data/test-00000-of-00001.parquet"]
    assert parts.notes == (f"{name} is not used; a validation split is a tenth of train",)


def test_other_files_are_named(tmp_path: Path) -> None:
    """Also the second of two layouts: one file a part comes before shards."""
    parts = parts_of(
        tmp_path, "train.parquet", "test.parquet", "extra.parquet", "train-00000-of-00001.parquet",
        "other/a.parquet", "other/b.parquet",
    )  # fmt: skip
    assert relative(tmp_path, parts.train) == ["train.parquet"]
    assert parts.notes == (
        "not read: extra.parquet, train-00000-of-00001.parquet, other/a.parquet and 1 more",
    )


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        ("train-00000-of-00002 test", "train lacks 1 of 2 files: train-00001-of-00002.parquet"),
        (
            "train test-00001-of-00006",
            (
                "test lacks 5 of 6 files: test-00000-of-00006.parquet, test-00002-of-00006.parquet, "
                "test-00003-of-00006.parquet and 2 more"
            ),
        ),
        ("train/0000 train/0002 test/0000", "train lacks 1 of 3 files: train/0001.parquet"),
        (
            "train-00000-of-00001 train-00000-of-00002 test",
            "train has shards of-00001 and of-00002; keep those of one version",
        ),
        (
            "train-00000-of-00001-a train-00000-of-00001-b test",
            "train-00000-of-00001-a.parquet and train-00000-of-00001-b.parquet are the same shard; keep one of them",
        ),
        ("a/train a/test b/train", "holds 2 sets, a, b; name one of these folders"),
        (
            "train extra",
            (
                "there is no file ROOT/test.parquet, and no shards of test or of val, valid, validation; Parquet "
                "files there: extra.parquet, train.parquet"
            ),
        ),
        (
            "images",
            (
                "there is no file ROOT/train.parquet, no train-00000-of-NNNNN.parquet and no train/0000.parquet; "
                "Parquet files there: images.parquet"
            ),
        ),
        ("", "no train/0000.parquet; there are no Parquet files"),
    ],
)
def test_faults_are_one_line(tmp_path: Path, names: str, fault: str) -> None:
    with pytest.raises(DataError) as caught:
        parts_of(tmp_path, *(f"{name}.parquet" for name in names.split()))
    said = str(caught.value).replace(str(tmp_path), "ROOT")
    assert said.endswith(fault)
    assert "\n" not in said


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").touch()
    with pytest.raises(DataError, match=r"train.parquet: is a file; allowed is a folder of Parquet files"):
        find_parts(tmp_path / "train.parquet")
