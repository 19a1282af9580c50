"""A file is written whole or not at all, whatever its writer does, and a temporary file never stays."""

import errno
import os
from pathlib import Path

import pytest

from tests.file_size_limit import file_size_limit
from trainables.atomic import TEMPORARY, create_file, replace_file, replacing, temporary_path


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_created_and_replaced(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "new" / "report.md"
    assert replace_file(path, "one", durable=durable) == path
    assert replace_file(path, b"\xfftwo", durable=durable).read_bytes() == b"\xfftwo"
    assert names(path.parent) == ["report.md"]


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    path = replace_file(tmp_path / "report.md", "old")

    def write_half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            assert temporary.name.startswith(TEMPORARY)
            assert path.read_text() == "old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["report.md"]


def test_a_target_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    """The move itself fails: a file cannot replace a folder with something in it."""
    target = tmp_path / "report.md"
    (target / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        replace_file(target, "text")
    assert names(tmp_path) == ["report.md"]
    assert names(target) == ["inside"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def fill(target: Path, *, fails: bool) -> None:
        with replacing(target, durable=False) as folder:
            folder.mkdir()
            (folder / "table.csv").write_text("a\n1\n")
            if fails:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "demo", fails=True)
    assert names(tmp_path) == []
    fill(tmp_path / "demo", fails=False)
    assert names(tmp_path / "demo") == ["table.csv"]


def test_create_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "records" / "a.parquet"
    assert create_file(path, b"first")
    assert not create_file(path, b"second")
    assert path.read_bytes() == b"first"
    assert names(path.parent) == ["a.parquet"]


def test_two_writers_use_two_temporary_files(tmp_path: Path) -> None:
    one, other = temporary_path(tmp_path / "a.pt"), temporary_path(tmp_path / "a.pt")
    assert one != other
    assert {one.parent, other.parent} == {tmp_path}
    assert one.suffix == other.suffix == ""


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    """The system names no file where a write of an open file fails."""
    path = tmp_path / "report.md"
    for write in (replace_file, create_file):
        with file_size_limit(10), pytest.raises(OSError, match="File too large") as caught:
            write(path, b"0" * 100)
        assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
        assert names(tmp_path) == []
