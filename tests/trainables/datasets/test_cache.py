"""Decoded images are kept in an array that is never half written, and made again when damaged or after a kill."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.trainables.datasets.decoded import EXPECTED, SHAPE, batches
from tests.waiting import wait_until
from trainables.datasets.cache import cached_images
from trainables.datasets.source import DataError, Images, Indices


def never() -> Iterator[tuple[Indices, Images]]:
    raise AssertionError("decoded again")


#: The same in a process of its own, which notes that it began, and may stop half way for ever.
CHILD = """
import sys, time
from pathlib import Path
import numpy as np
from tests.trainables.datasets import decoded as t
from trainables.datasets.cache import cached_images
path, pause = Path(sys.argv[1]), float(sys.argv[2])
def batches():
    with open(path.parent / "began", "a") as log:
        log.write("x")
    for number, batch in enumerate(t.batches()):
        if number == 2:
            time.sleep(pause)
        yield batch
images = cached_images(path, t.SHAPE, batches)
assert (images == t.EXPECTED).all()
"""


def start(path: Path, pause: float = 0.0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, path, str(pause)], stderr=subprocess.PIPE, text=True
    )


def half_written(path: Path) -> bool:
    """Whether a process has written something of `path` that is not whole."""
    return any(partial.stat().st_size for partial in path.parent.glob(".tmp-*"))


def stop_half_way(path: Path) -> subprocess.Popen[str]:
    """A process that has begun to write and goes no further."""
    child = start(path, pause=600)
    wait_until(lambda: half_written(path))
    assert not path.exists()
    return child


def kill(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.communicate()


def test_second_opening_decodes_nothing(tmp_path: Path) -> None:
    np.testing.assert_array_equal(cached_images(tmp_path / "a.npy", SHAPE, batches), EXPECTED)
    again = cached_images(tmp_path / "a.npy", SHAPE, never)
    np.testing.assert_array_equal(again, EXPECTED)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".lock", ".npy"]


def test_file_is_an_ordinary_array(tmp_path: Path) -> None:
    cached_images(tmp_path / "a.npy", SHAPE, batches)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), EXPECTED)


def test_writing_to_the_array_changes_no_file(tmp_path: Path) -> None:
    """Torch warns of arrays that cannot be written to."""
    images = cached_images(tmp_path / "a.npy", SHAPE, batches)
    images[:] = 0
    np.testing.assert_array_equal(cached_images(tmp_path / "a.npy", SHAPE, never), EXPECTED)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(5000)
        byte = file.read(1)
        file.seek(5000)
        file.write(bytes([byte[0] ^ 1]))


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other_array(path: Path) -> None:
    """Of the same size in bytes, sealed, but of another shape."""
    cached_images(
        path.with_name("b.npy"),
        (40, 3, 4, 16),
        lambda: iter([(np.arange(40), EXPECTED.reshape(40, 3, 4, 16))]),
    )
    path.with_name("b.npy").replace(path)


@pytest.mark.parametrize("damage", [cut, flip, lengthen, empty, other_array])
def test_damaged_file_is_made_anew_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: object
) -> None:
    path = tmp_path / "a.npy"
    cached_images(path, SHAPE, batches)
    damage(path)  # type: ignore[operator]
    np.testing.assert_array_equal(cached_images(path, SHAPE, batches), EXPECTED)
    assert re.fullmatch(r"data: the cache .*a\.npy is damaged; decoding again\n", capsys.readouterr().err)
    np.testing.assert_array_equal(cached_images(path, SHAPE, never), EXPECTED)


def test_copy_that_lost_its_time_is_checked_and_taken(tmp_path: Path) -> None:
    cached_images(tmp_path / "a.npy", SHAPE, batches)
    (tmp_path / "b.npy").write_bytes((tmp_path / "a.npy").read_bytes())
    np.testing.assert_array_equal(cached_images(tmp_path / "b.npy", SHAPE, never), EXPECTED)
    assert (tmp_path / "b.npy").stat().st_mtime_ns % 10**9 == 0  # and need not be checked again


def test_several_processes_decode_once(tmp_path: Path) -> None:
    children = [start(tmp_path / "a.npy", pause=0.3) for _ in range(3)]
    assert [child.wait(60) for child in children] == [0, 0, 0], [child.communicate() for child in children]
    for child in children:
        child.communicate()
    assert (tmp_path / "began").read_text() == "x"


def test_killed_process_leaves_nothing_that_matters(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    kill(stop_half_way(path))
    assert half_written(path)
    np.testing.assert_array_equal(cached_images(path, SHAPE, batches), EXPECTED)
    assert not list(tmp_path.glob(".tmp-*"))


def test_who_waits_for_a_process_that_is_killed_decodes_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    first = stop_half_way(path)
    second = start(path)
    assert second.stderr is not None
    assert "waiting for another process" in second.stderr.readline()
    assert second.poll() is None
    kill(first)
    _, errors = second.communicate(timeout=60)
    assert (second.returncode, errors) == (0, "")
    assert (tmp_path / "began").read_text() == "xx"
    np.testing.assert_array_equal(cached_images(path, SHAPE, never), EXPECTED)


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
from pathlib import Path
from tests.trainables.datasets import decoded as t
from trainables.datasets.cache import cached_images
assert (cached_images(Path(sys.argv[1]), t.SHAPE, t.batches) == t.EXPECTED).all()
"""


def test_no_room_is_one_line_and_the_images_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    child = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"data: no cache of decoded images at .*: File too large; .*\n", child.stderr)
    assert [file.name for file in tmp_path.iterdir()] == ["a.lock"]


def test_directory_that_cannot_be_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    images = cached_images(tmp_path / "file" / "a.npy", SHAPE, batches)
    np.testing.assert_array_equal(images, EXPECTED)
    assert re.fullmatch(r"data: no cache of .*: Not a directory; .*\n", capsys.readouterr().err)


def test_error_of_decoding_passes_and_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[Indices, Images]]:
        yield from list(batches())[:2]
        raise DataError("x.png is broken")

    with pytest.raises(DataError, match=r"x\.png is broken"):
        cached_images(tmp_path / "a.npy", SHAPE, broken)
    assert [file.name for file in tmp_path.iterdir()] == ["a.lock"]
