"""Archives of strangers: each attack is one line, and nothing stays unpacked."""

import gzip
import os
import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from trainables import archives
from trainables.archives import ArchiveError, gunzip, unpacked_zip

Write = Callable[[zipfile.ZipFile], None]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which archives are unpacked."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def _file(name: str, *, mode: int = stat.S_IFREG | 0o644, system: int = 3) -> Write:
    def write(archive: zipfile.ZipFile) -> None:
        member = zipfile.ZipInfo("x")
        member.filename, member.external_attr, member.create_system = name, mode << 16, system
        archive.writestr(member, "content")

    return write


def _files(*names: str) -> Write:
    def write(archive: zipfile.ZipFile) -> None:
        for name in names:
            _file(name)(archive)

    return write


def _zeros(archive: zipfile.ZipFile) -> None:
    with archive.open(zipfile.ZipInfo("zeros"), "w") as file:
        for _ in range(20):
            file.write(bytes(2**20))


def _deflated_zeros(archive: zipfile.ZipFile) -> None:
    member = zipfile.ZipInfo("zeros")
    member.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(member, "w") as file:
        for _ in range(20):
            file.write(bytes(2**20))


def _in_lzma(archive: zipfile.ZipFile) -> None:
    archive.writestr("a", "content", zipfile.ZIP_LZMA)


def _refused(path: Path, temporary: Path) -> str:
    with pytest.raises(ArchiveError) as caught, unpacked_zip(path):
        pytest.fail("it was unpacked")
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert len(message.splitlines()) == 1
    assert list(temporary.iterdir()) == []
    return message


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (_file("/etc/passwd"), "has a file '/etc/passwd'; paths must be relative"),
        (_file("C:/windows/x"), "has a file 'C:/windows/x'; paths must be relative"),
        (_file("c:x"), "has a file 'c:x'; paths must be relative"),
        (_file("../outside"), "has a file '../outside'; paths must be relative"),
        (_file("a/../../outside"), "paths must be relative, with slashes and without '..'"),
        (_file("a/.."), "paths must be relative"),
        (_file("a/./b"), "paths must be relative"),
        (_file("a//b"), "paths must be relative"),
        (_file(r"a\b"), "paths must be relative"),
        (_file(r"..\outside"), "paths must be relative"),
        (_file(r"\\server\share"), "paths must be relative"),
        (_file("a\x1b[2Jb"), r"has a file 'a\x1b[2Jb', whose name no file can have here"),
        (_file("a\nb"), r"has a file 'a\nb', whose name no file can have here"),
        (_file("a" * 300), "whose name no file can have here"),
        (_file("/".join("a" * 40)), "whose name no file can have here"),
        (_file("link", mode=stat.S_IFLNK | 0o777), "has 'link', which is a link or a special file"),
        (_file("link", mode=stat.S_IFLNK | 0o777, system=0), "has 'link', which is a link or a special file"),
        (_file("pipe", mode=stat.S_IFIFO | 0o644), "has 'pipe', which is a link or a special file"),
        (_file("disk", mode=stat.S_IFBLK | 0o644), "has 'disk', which is a link or a special file"),
        (_file("folder", mode=stat.S_IFDIR | 0o755), "has 'folder', which is a link or a special file"),
        (_files("a", "A"), "has two files with the name 'A'"),
        (_files("\u00e4", "a\u0308"), "has two files with the name"),
        (_files("a", "a/b"), "has two files with the name 'a/b'"),
        (_files("a/b", "a"), "has two files with the name 'a'"),
        (_in_lzma, "has 'a' in compression 14; pack it with deflate"),
        (
            _deflated_zeros,
            "that expand to 20,971,520, as in an attack; unpack it yourself only if you trust its author",
        ),
    ],
)
def test_members_that_are_not_unpacked(write: Write, said: str, tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "attack.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("before", "content")
        write(archive)
    assert said in _refused(path, temporary)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["attack.zip", "temporary"]


def test_two_members_of_one_name(tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "attack.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "two")
    assert "has two files with the name 'a'" in _refused(path, temporary)


def test_more_than_the_limits(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as archive:
        _files(*(f"{number}" for number in range(20)))(archive)
    monkeypatch.setattr(archives, "MOST_MEMBERS", 19)
    assert "has 20 files; at most 19 are unpacked" in _refused(path, temporary)
    monkeypatch.setattr(archives, "_MOST_LIST", 500)
    assert "has too many files; at most 19 are unpacked" in _refused(path, temporary)
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with zipfile.ZipFile(path, "w") as archive:
        _zeros(archive)
    monkeypatch.setattr(archives, "MOST_BYTES", 2**24)
    assert "has 20 MiB, and at most 16 MiB are read" in _refused(path, temporary)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"{number}", os.urandom(2**12) * 2**10)
    assert "has more than 16 MiB of files, which are not unpacked" in _refused(path, temporary)


def _with_field(path: Path, offset: int, value: int, size: int) -> None:
    """Set a field of the first member, which is `offset` bytes into its entry in the list of files."""
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + offset : entry + offset + size] = value.to_bytes(size, "little")
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("offset", "value", "size", "said"),
    [
        (24, 100, 4, "is not a zip file that can be read (Bad CRC-32"),  # smaller than it is
        (24, 2**20, 4, "which has not the size that the archive states"),  # larger than it is
        (16, 1, 4, "is not a zip file that can be read (Bad CRC-32"),
        (8, 1, 2, "has the encrypted file 'a'; pack it without a password"),
        (10, 99, 2, "has 'a' in compression 99; pack it with deflate"),
        (42, 2**31, 4, "is not a zip file that can be read ('a' begins outside of it)"),
        (
            28,
            0,
            2,
            "is not a zip file that can be read (Truncated central directory)",
        ),  # the length of its name
    ],
)
def test_an_archive_that_lies(
    offset: int, value: int, size: int, said: str, tmp_path: Path, temporary: Path
) -> None:
    path = tmp_path / "lie.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", os.urandom(2**13))
    _with_field(path, offset, value, size)
    assert said in _refused(path, temporary)


def test_files_that_are_no_archives(tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "absent.zip"
    assert "cannot be read (No such file or directory)" in _refused(path, temporary)
    os.mkfifo(tmp_path / "pipe.zip")
    assert "cannot be read (is a pipe, must be a regular file)" in _refused(tmp_path / "pipe.zip", temporary)
    for content in (b"", b"PK", b"text", bytes(100), b"PK\x05\x06" + bytes(3)):
        path.write_bytes(content)
        assert "is not a zip file that can be read" in _refused(path, temporary)


def test_a_truncated_archive(tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "short.zip"
    with zipfile.ZipFile(path, "w") as archive:
        _files("a", "b/c")(archive)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        _refused(path, temporary)


def test_a_good_archive_and_its_end(tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "good.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("folder")
        _files("folder/a", "b/c/d")(archive)
        archive.comment = b"a comment"
    with unpacked_zip(path) as folder:
        found = sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())
        assert found == ["b/c/d", "folder/a"]
        assert (folder / "folder" / "a").read_text() == "content"
        assert folder.is_relative_to(temporary)
    assert list(temporary.iterdir()) == []


def test_a_gzip_stream_has_a_limit() -> None:
    assert gunzip(gzip.compress(b"rows")) == b"rows"
    bomb = gzip.compress(bytes(2**20))
    with pytest.raises(
        ArchiveError, match="it unpacks to more than 1,048,576 bytes, which is the most that is read"
    ):
        gunzip(bomb + gzip.compress(b"1"), 2**20)
    for damaged in (bomb[:-20], bomb[:10] + b"\xff" + bomb[11:], b"\x1f\x8b"):
        with pytest.raises(ArchiveError, match="is damaged"):
            gunzip(damaged)


def test_a_member_that_begins_where_no_file_ends(tmp_path: Path, temporary: Path) -> None:
    """Offsets of 64 bits, for which the system refuses to move to that place."""
    path = tmp_path / "far.zip"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("a")
        member.extra = b"\x01\x00\x08\x00" + (2**63 - 1).to_bytes(8, "little")
        archive.writestr(member, "content")
    _with_field(path, 42, 2**32 - 1, 4)
    assert "'a' begins outside of it" in _refused(path, temporary)
