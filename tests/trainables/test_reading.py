"""Only regular files of a stated size are read, and texts that nest too deep are refused in one line."""

import errno
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from trainables.reading import (
    DEEPEST,
    NotRegularError,
    check_regular,
    opened,
    parse_json,
    parse_toml,
    read_bytes,
    read_text,
)


def reason(path: Path, at_most: int = 10, within: Path | None = None) -> str | None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - its reason is compared
        read_bytes(path, at_most, within)
    return caught.value.strerror


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "circle").symlink_to("circle")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert reason(tmp_path / "s") == "is a socket, must be a regular file"
    assert reason(tmp_path) == "is a folder, must be a regular file"
    assert reason(tmp_path / "pipe") == "is a pipe, must be a regular file"
    assert reason(tmp_path / "endless") == "is a device, must be a regular file"
    assert reason(tmp_path / "circle") == "Too many levels of symbolic links"
    assert reason(tmp_path / ("x" * 10_000)) == "File name too long"
    assert reason(tmp_path / "a\0b") == "the path has a NUL character"


def test_a_file_that_is_replaced_by_a_pipe_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = tmp_path / "file", os.open

    def replaced(*args: Any, **options: Any) -> int:
        path.unlink()
        os.mkfifo(path)
        return real(*args, **options)

    path.write_bytes(b"x")
    monkeypatch.setattr(os, "open", replaced)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(NotRegularError) as caught:
        opened(path)
    assert (caught.value.strerror, caught.value.errno) == ("is a pipe, must be a regular file", errno.EINVAL)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert read_bytes(path, 10) == b"0123456789"
    assert reason(path, 9) == "has 10 bytes; at most 9 are read"


def test_a_file_whose_state_names_no_size() -> None:
    assert reason(Path("/proc/self/status"), 100) == "has more than 100 bytes, which is the most that is read"


def test_links_out_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_text("x")
    (folder / "own").write_text("y")
    (folder / "out").symlink_to("../secret")
    (folder / "in").symlink_to("own")
    assert reason(folder / "out", within=folder) == f"is a link that leads out of the folder {folder}"
    assert read_text(folder / "in", within=folder) == "y"
    assert check_regular(folder / "out").st_size == 1


def test_text_has_one_kind_of_line_break_and_no_mark(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert read_text(tmp_path / "a") == "a\nb\nc\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = " + "[" * 5000, "more than 16 lists and tables are nested (at line 1)"),
        ("\nx = " + "{a=" * 17, "more than 16 lists and tables are nested (at line 2)"),
        ("a" + ".a" * 50_000 + " = 1", "a key has more than 16 parts with dots between them (at line 1)"),
        ("[" + "'a' . " * 16 + "a]", "a key has more than 16 parts with dots between them (at line 1)"),
        ("x = " + "9" * 5000, "a number or key has more than 200 characters (at line 1)"),
        ("x = 0x" + "f" * 900_000, "a number or key has more than 200 characters (at line 1)"),
        ("k" * 201 + " = 1", "a number or key has more than 200 characters (at line 1)"),
    ],
)
def test_what_nests_too_deep_or_is_too_long(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared as a whole
        parse_toml(text)
    assert str(caught.value) == said


def test_what_a_string_or_comment_has_does_not_count() -> None:
    many = "[" * 50 + ".a" * 50 + "9" * 500
    text = (
        f'a = "{many}\\""\nb = \'{many}\'\nc = """{many}"x\n{many}""" # {many}\nd = \'\'\'{many}\'\n\'\'\'\n'
    )
    tree = parse_toml(text)
    assert list(tree) == ["a", "b", "c", "d"]
    assert tree["a"] == f'{many}"'
    assert tree["b"] == many


def test_the_bounds_themselves_are_allowed() -> None:
    assert parse_toml("x = " + "[" * DEEPEST + "]" * DEEPEST)
    assert parse_toml("a" + ".a" * (DEEPEST - 1) + " = 1")
    assert parse_toml("x = " + "1" * 19) == {"x": int("1" * 19)}


def test_json_that_nests_too_deep_or_has_too_many_digits() -> None:
    with pytest.raises(ValueError, match=r"^lists and objects are nested too deep$"):
        parse_json("[" * 100_000)
    with pytest.raises(ValueError, match=r"^a whole number has 5000 digits, at most 4300 are read$"):
        parse_json("9" * 5000)
