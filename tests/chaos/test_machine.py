"""Commands on real small disks, on disks that become read-only, and with little memory and few descriptors."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.study.cli.every_command import STUDY, USES, prepare, whole_store
from tests.study.running import start_command
from tests.waiting import wait_until
from trainables.store.records import RecordStore

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which all trials have records."""
    folder = tmp_path_factory.mktemp("every")
    whole_store(folder)
    return folder / "ready"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", mounted], check=False).returncode:
        pytest.skip("mounting needs root")
    yield mounted
    subprocess.run(["umount", mounted], check=True)


def study(words: Sequence[str], folder: Path, limits: str = "") -> tuple[int, list[str]]:
    """The exit code of a command in a folder, and its lines on standard error. `limits` are words of the shell."""
    line = f'{limits}"{sys.executable}" -c "from study.cli.main import main; main()" "$@"'
    command = ["bash", "-c", line, "study", *words]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return result.returncode, result.stderr.splitlines()


def fill(disk: Path, left: int) -> Path:
    """Fill a disk, except for `left` bytes."""
    filler, block = disk / "filler", b"0" * 4096
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(block):
            pass
    with filler.open("r+b") as file:
        file.truncate(max(0, filler.stat().st_size - left))
    return filler


@pytest.mark.parametrize("left", [0, 20_000, 120_000])
@pytest.mark.parametrize(
    "name", ["init", "extend", "extend --out", "import", "merge", "run", "report", "report --from", "claims",
             "compare", "bundle", "demo", "trial"],
)  # fmt: skip
def test_a_full_disk(name: str, left: int, ready: Path, disk: Path) -> None:
    folder = disk / "folder"
    words = prepare(name, folder, ready)
    filler = fill(disk, left)
    before = sorted(folder.rglob("*"))
    code, lines = study(words, folder)
    if code != USES[name].code:
        assert code == 1, lines
        assert lines[-1].startswith("study: "), lines
        assert "No space left on device" in lines[-1]
        assert "free space" in lines[-1]
        assert not [line for line in lines if line.startswith("Traceback")]
        assert not list(folder.rglob(".tmp-*"))
        assert not RecordStore(folder / "s").read().damaged
        if name in ("init", "extend --out", "bundle", "demo"):
            assert sorted(folder.rglob("*")) == before
    else:
        assert left, f"{name} writes nothing"
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=60m", disk], check=True)
    if code:
        assert study(words, folder)[0] == USES[name].code


def test_a_disk_that_becomes_read_only(disk: Path) -> None:
    """In the middle of a launch: one line about the record, and none about what could not be written after it."""
    path = disk / "slow.toml"
    small = STUDY.replace("[keep]\ncurve_points = 2\nembeddings = true\n", "")
    seeds = f"seeds = {list(range(100))}"
    path.write_text(small.replace("seeds = [0, 1]", seeds).replace("steps = 4", "steps = 400"))
    process = start_command("run", path, "--store", disk / "s", "--runner", "inline")
    wait_until(lambda: len(list((disk / "s" / "records").glob("*.parquet"))) > 3, seconds=120)
    while subprocess.run(
        ["mount", "-o", "remount,ro", disk], check=False, stderr=subprocess.DEVNULL
    ).returncode:
        time.sleep(0.01)
    output, _ = process.communicate(timeout=120)
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    assert process.returncode == 1, output
    assert "Traceback" not in output
    last = output.splitlines()[-1]
    assert last.startswith("study: store: cannot write to"), output
    assert "(Read-only file system)" in last
    assert "finished trials are kept" in last
    assert not RecordStore(disk / "s").read().damaged


@pytest.mark.parametrize(
    "limits", ["ulimit -n 7; ", "ulimit -v 300000; ", "ulimit -v 900000; ", "ulimit -f 1; "]
)
@pytest.mark.parametrize("name", ["status", "report", "run"])
def test_a_process_with_limits(name: str, limits: str, ready: Path, tmp_path: Path) -> None:
    """The command works within the limit, or says in one line that it cannot."""
    words = prepare(name, tmp_path / "folder", ready)
    code, lines = study(words, tmp_path / "folder", limits)
    assert code in (0, 1), lines
    assert not [line for line in lines if line.startswith("Traceback")], lines
    if code:
        assert lines[-1].startswith("study: "), lines
        assert len(lines) == 1 or lines[0].startswith("study: "), lines
    assert study(words, tmp_path / "folder")[0] == 0
