"""`study gc` removes only what no study can need again, and never a record."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from study.launch.manifest import launches_folder, new_manifest, write_manifest
from tests.prose import assert_says
from tests.study.cli.conftest import Finished
from tests.study.running import invoke
from trainables.atomic import temporary_path

_DAY = 86400


def put(path: Path, age: float = 2 * _DAY, content: object = b"x") -> Path:
    """Create a file that was last changed `age` seconds ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    for each in (path, path.parent):
        os.utime(each, (0, time.time() - age))
    return path


def gc(finished: Finished, *words: str) -> set[Path]:
    """Run `study gc` and return the files that it removes, or would remove."""
    result = invoke("gc", "--store", finished.store, "--json", *words)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    assert all(each["removed"] == ("--dry-run" not in words) for each in told["files"])
    return {Path(each["path"]) for each in told["files"]}


@pytest.fixture
def pretrain(finished: Finished) -> dict[str, list[str]]:
    """Pre-trainings by the status of their trials."""
    found: dict[str, list[str]] = {}
    for row in finished.rows:
        found.setdefault(row["status"], []).append(row["pretrain_id"])
    return found


def test_what_goes_and_what_stays(finished: Finished, pretrain: dict[str, list[str]]) -> None:
    store, ok = finished.store, pretrain["ok"]
    records = {path: path.read_bytes() for path in (store / "records").iterdir()}
    goes = {
        put(temporary_path(store / "records" / "a.parquet")),
        put(temporary_path(store / "curves" / "a.parquet")),
        put(temporary_path(store / "studies" / "tiny" / "tables" / "scores.csv")),
        put(temporary_path(store / "checkpoints" / f"{ok[0]}.pt")),
        put(store / "tune" / "abc" / "state.json").parent,
        put(store / "leases" / f"{'0' * 20}.3"),
        put(store / "checkpoints" / f"{ok[0]}.pt"),
        put(store / "checkpoints" / "stack.pt", content={"pretrain_ids": ok[:2]}),
    }
    stays = {
        put(temporary_path(store / "records" / "b.parquet"), age=60),
        put(store / "tune" / "def" / "state.json", age=60),
        put(store / "checkpoints" / f"{pretrain['crashed'][0]}.pt", content={"pretrain_ids": []}),
        put(store / "checkpoints" / "torn.pt"),
        put(store / "checkpoints" / "half.pt", content={"pretrain_ids": [ok[0], "f" * 20]}),
        put(store / "encoders" / f"{ok[0]}.pt"),
        put(store / "curves" / f"{ok[0]}.parquet"),
        put(store / "damaged" / "some.parquet"),
    }
    assert gc(finished, "--dry-run") == goes
    assert all(path.exists() for path in goes)
    assert gc(finished) == goes
    assert not any(path.exists() for path in goes)
    assert all(path.exists() for path in stays)
    kept = {path: path.read_bytes() for path in (store / "records").glob("*.parquet")}
    assert kept == records
    assert gc(finished) == set()
    said = "Nothing to remove.\n2 leftovers are younger than an hour and stay.\n"
    assert invoke("gc", "--store", store).output == said
    assert invoke("gc", "--store", store, "--dry-run").output == said
    told = json.loads(invoke("gc", "--store", store, "--json").stdout)
    assert (told["files"], told["staying"]) == ([], 2)
    assert "2 leftovers are younger than 7 days" in invoke("gc", "--store", store, "--older-than", 7).output


def test_kept_files_go_by_explicit_words(finished: Finished, pretrain: dict[str, list[str]]) -> None:
    ok = pretrain["ok"]
    encoder, young = (
        put(finished.store / "encoders" / f"{id_}.pt", age=age)
        for id_, age in ((ok[0], 2 * _DAY), (ok[1], 0.5 * _DAY))
    )
    unknown = put(finished.store / "encoders" / f"{'0' * 20}.pt")
    curve = put(finished.store / "curves" / f"{ok[0]}.parquet")
    assert gc(finished, "--curves", "--dry-run") == {curve}
    assert gc(finished, "--encoders", "--older-than", "1") == {encoder}
    assert gc(finished, "--encoders") == {young}
    assert unknown.exists()
    assert curve.exists()


def test_what_a_running_launch_may_use_stays(finished: Finished) -> None:
    manifest = new_manifest(study="tiny", study_file="", runner="ray", workers=1, planned=2)
    began = time.time() - _DAY
    manifest = type(manifest)(
        **vars(manifest) | {"started_at": time.strftime("%FT%T+00:00", time.gmtime(began))}
    )
    write_manifest(launches_folder(finished.store, "tiny"), manifest)
    before = put(finished.store / "tune" / "old" / "state.json", age=2 * _DAY).parent
    since = put(finished.store / "tune" / "own" / "state.json", age=0.5 * _DAY).parent
    assert gc(finished) == {before}
    assert since.exists()
    output = invoke("gc", "--store", finished.store).output
    assert_says(output, "1 leftover", "launch", "stays")


def test_for_people(finished: Finished) -> None:
    put(finished.store / "tune" / "abc" / "state.json", content=b"x" * 3000)
    listed = invoke("gc", "--store", finished.store, "--dry-run").output
    assert "tune" in listed
    assert "Would remove these 1" in listed
    assert "Ray Tune" in invoke("gc", "--store", finished.store).output


def test_no_store(tmp_path: Path) -> None:
    result = invoke("gc", "--store", tmp_path / "absent")
    assert result.exit_code == 2
    assert "there is no store" in result.stderr
    assert not (tmp_path / "absent").exists()


def test_a_file_of_the_future_stays_until_the_clock_has_passed_it(finished: Finished) -> None:
    """Its time is that of a clock which was then set back by an hour."""
    ahead = put(finished.store / "tune" / "ahead", age=-3600.0)
    assert ahead not in gc(finished)
    output = invoke("gc", "--store", finished.store).stdout
    assert "1 leftover is younger than an hour and stays." in output


def test_links_among_the_folders_of_tune_are_not_followed(finished: Finished, tmp_path: Path) -> None:
    outside = put(tmp_path / "outside" / "mine")
    link = finished.store / "tune" / "a\x1b[31m\n"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "outside", target_is_directory=True)
    os.utime(link, (0, 0), follow_symlinks=False)
    listed = invoke("gc", "--store", finished.store, "--dry-run").stdout
    assert f"{link.parent}/a\\x1b[31m\\n" in listed
    assert gc(finished) == {link}
    assert outside.exists()
    assert not link.is_symlink()
