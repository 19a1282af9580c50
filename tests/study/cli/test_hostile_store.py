"""Commands on a store with files of strangers: everything else is shown, each fault is one line, nothing escapes."""

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.study.cli.conftest import Finished
from tests.study.running import invoke
from tests.trainables.store.foreign import hostile_row, put_compacted
from trainables.store.records import RecordStore

FOREIGN = "f" * 20

#: Values that no trial writes, each with its row in the compacted file and the reason.
ROWS = {
    1: ({"trial_id": "../../x"}, "trial_id is '../../x', must be 8 to 64 digits of 0-9 and a-f"),
    2: ({"trial_id": ""}, "trial_id is '', must be 8 to 64 digits of 0-9 and a-f"),
    3: ({"trial_id": f"{'a' * 20}\n"}, "trial_id is"),
    4: ({"trial_id": "b" * 20, "attempt": -5}, "attempt is -5, must be from 0 to 999,999"),
    5: ({"trial_id": "b" * 20, "attempt": 2**63 - 1}, "attempt is 9223372036854775807, must be"),
}


@pytest.fixture
def hostile(finished: Finished) -> Finished:
    """The finished study with files that are no records, a compacted file of hostile rows, and one of a good one."""
    records = finished.store / "records"
    os.mkfifo(records / f"{'1' * 20}.0.parquet")
    (records / f"{'2' * 20}.0.parquet").symlink_to("/dev/zero")
    (records / "x.parquet").mkdir()
    os.mkfifo(records / f"compact-5-{'0' * 32}.parquet")
    names = [f"records/{path.name}" for path in records.glob("compact-12-*")]
    good = hostile_row(trial_id=FOREIGN)
    put_compacted(
        finished.store, [good, *(hostile_row(**changes) for changes, _ in ROWS.values())], replaces=names
    )
    return finished


def everything(folder: Path) -> dict[str, bytes | None]:
    """All regular files below a folder with their contents, and the names of all else."""
    return {
        str(path): path.read_bytes() if path.is_file() and not path.is_symlink() else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize(
    "words", [["status"], ["failures"], ["retry", "--status", "crashed", "--dry-run"], ["plan"]]
)
def test_everything_else_is_shown(hostile: Finished, words: list[str], tmp_path: Path) -> None:
    before, start = everything(tmp_path), time.process_time()
    result = invoke(words[0], hostile.study, "--store", hostile.store, *words[1:])
    assert result.exit_code == 0, result.output
    assert time.process_time() - start < 5
    for row, (_, reason) in ROWS.items():
        assert f", row {row} ({reason}" in result.stderr
    assert f"compact-5-{'0' * 32}.parquet (it is a pipe, must be a regular file)" in result.stderr
    assert f"{'1' * 20}.0.parquet" not in result.stderr  # of another study
    assert "x.parquet (its name is not that of a record)" in result.stderr
    assert everything(tmp_path) == before
    if words == ["status"]:
        assert "8  ok" in result.stdout


def test_the_whole_store(hostile: Finished, tmp_path: Path) -> None:
    for words in (["show", hostile.ids("ok")[0]], ["gc"]):
        result = invoke(*words, "--store", hostile.store)
        assert result.exit_code == 0, result.output
    assert len(RecordStore(hostile.store).read().table) == 13
    said = " ".join(str(damage) for damage in RecordStore(hostile.store).read().damaged)
    assert f"{'1' * 20}.0.parquet (it is a pipe, must be a regular file)" in said
    assert f"{'2' * 20}.0.parquet (it is a device, must be a regular file)" in said


def test_merge_copies_what_is_sound_and_names_the_rest(hostile: Finished, tmp_path: Path) -> None:
    target = tmp_path / "all" / "deep" / "store"
    result = invoke("merge", hostile.store, "--into", target)
    assert result.exit_code == 0, result.output
    assert "13 records copied" in result.stdout
    for row, (_, reason) in ROWS.items():
        (line,) = [line for line in result.stderr.splitlines() if f", row {row} (" in line]
        assert line.startswith(f"study: damaged record: {hostile.store}/records/compact-6-")
        assert f"({reason}" in line
        assert line.endswith("; not copied")
    names = {path.name for path in (target / "records").iterdir()}
    assert all(name.startswith(("compact-13-", *"0123456789abcdef")) for name in names)
    assert {path.name for path in tmp_path.iterdir()} == {"all", "store"}
    assert {path.name for path in (tmp_path / "all").rglob("*.parquet")} == names
    status = invoke("status", hostile.study, "--store", target)
    assert (status.exit_code, status.stderr) == (0, "")


def test_merge_leaves_out_what_its_digest_does_not_fit(finished: Finished, tmp_path: Path) -> None:
    put_compacted(finished.store, [hostile_row(trial_id=FOREIGN)], digests=["0" * 32])
    result = invoke("merge", finished.store, "--into", tmp_path / "all")
    assert result.exit_code == 0, result.output
    assert (
        f"trial {FOREIGN}, attempt 0: its values are not those that its digest says; not copied"
        in result.stderr
    )
    assert "12 records copied" in result.stdout


@pytest.mark.parametrize(
    "folder", ["records", "studies", "studies/tiny", "studies/tiny/tables", "checkpoints"]
)
def test_a_store_with_a_linked_folder_is_refused(folder: str, finished: Finished, tmp_path: Path) -> None:
    """The link of a store that others made may lead anywhere."""
    (tmp_path / "outside").mkdir()
    shutil.rmtree(finished.store / folder, ignore_errors=True)
    (finished.store / folder).symlink_to(tmp_path / "outside")
    for words in (
        ["report", finished.study],
        ["merge", finished.store, "--into", tmp_path / "target"],
        ["gc"],
    ):
        at = [] if words[0] == "merge" else ["--store", finished.store]
        result = invoke(*words, *at)
        assert result.exit_code == 2
        [line] = result.stderr.splitlines()
        assert line.startswith(
            f"study: store: {finished.store / folder} is a link; put a folder in its place"
        )
    assert list((tmp_path / "outside").iterdir()) == []
    assert not (tmp_path / "target").exists()


def test_gc_removes_nothing_behind_a_link(finished: Finished, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    pretrain_id = finished.rows[0]["pretrain_id"]
    files = [
        outside / f"{pretrain_id}.pt",
        outside / f"{pretrain_id}.parquet",
        outside / f".tmp-{'0' * 32}-x",
    ]
    for path in files:
        path.touch()
        os.utime(path, (0, 0))
    (finished.store / "other").symlink_to(outside)
    notes = finished.store / "records" / ".tmp-notes of a user"
    notes.touch()
    os.utime(notes, (0, 0))
    result = invoke("gc", "--store", finished.store, "--encoders", "--curves")
    assert result.exit_code == 0, result.output
    assert all(path.exists() for path in (*files, notes))


def test_a_refused_store_has_no_records_folder(finished: Finished, tmp_path: Path) -> None:
    result = invoke("merge", finished.store, "--into", "/proc/store")
    assert result.exit_code == 2
    assert "cannot write to /proc/store" in result.stderr
