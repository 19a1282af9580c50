"""Facts about files are remembered until a file changes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import wait_until
from trainables.datasets.cache_root import cache_root
from trainables.datasets.files import file_states, files_fingerprint, remembered
from trainables.datasets.source import DataError


class Look:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, Any]:
        self.times += 1
        return {"times": self.times}


def ask(path: Path, look: Look, kind: str = "kind 1") -> int:
    times: int = remembered(kind, file_states([path]), look)["times"]
    return times


def test_asked_once_until_a_file_changes(tmp_path: Path) -> None:
    path, look = tmp_path / "a", Look()
    path.write_text("one")
    assert [ask(path, look), ask(path, look)] == [1, 1]
    assert ask(path, look, kind="kind 2") == 2
    status = path.stat()

    def is_stamped_later() -> bool:  # the file system's clock goes in steps
        path.write_text("two")
        return path.stat().st_ctime_ns > status.st_ctime_ns

    wait_until(is_stamped_later)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # what cannot be set back tells of the change
    assert ask(path, look) == 3


@pytest.mark.parametrize("content", ["", '{"tim'])
def test_damaged_memory_is_written_anew(tmp_path: Path, cache: Path, content: str) -> None:
    path, look = tmp_path / "a", Look()
    path.write_text("one")
    ask(path, look)
    [file] = (cache / "facts").iterdir()
    file.write_text(content)
    assert [ask(path, look), ask(path, look)] == [2, 2]
    assert json.loads(file.read_text()) == {"times": 2}


@pytest.mark.parametrize("root", ["", "/dev/null/nowhere"])
def test_without_a_place_it_is_asked_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    monkeypatch.setenv("STUDY_CACHE_ROOT", root)
    path, look = tmp_path / "a", Look()
    path.write_text("one")
    assert [ask(path, look), ask(path, look)] == [1, 2]


def test_fingerprint_follows_content_order_and_structure(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    a, b = file_states([tmp_path / "a", tmp_path / "b"])
    prints = {files_fingerprint(files, text) for files in ((a, b), (b, a)) for text in ("", "x")}
    assert len(prints) == 4


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file .*nothing"):
        file_states([tmp_path / "nothing"])


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STUDY_CACHE_ROOT", "mine")
    assert cache_root() == tmp_path / "mine"  # workers may stand elsewhere
    monkeypatch.setenv("STUDY_CACHE_ROOT", "")
    assert cache_root() is None
    monkeypatch.delenv("STUDY_CACHE_ROOT")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_root() == Path("/xdg/contrastive-robustness")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert cache_root() == Path("/home/me/.cache/contrastive-robustness")
