"""Logs of Weights & Biases, written by its library, are read whole, cut off and damaged."""

import os
import shutil
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.tables.exports.opening import open_export
from analysis.tables.exports.wandb_log import MAGIC, fields

wandb = pytest.importorskip("wandb", reason="the extra 'tracking-wandb' is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: one with records larger than a block, media and a removed metric, and one that failed."""
    path = tmp_path_factory.mktemp("runs")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    wandb.teardown()  # an earlier test of this process may have set another mode
    settings = wandb.Settings(console="off", silent=True, disable_git=True, x_disable_stats=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        common: dict[str, Any] = {
            "mode": "offline",
            "dir": path,
            "reinit": "create_new",
            "settings": settings,
        }
        with wandb.init(
            project="p", id="large", config={"opt": {"lr": 0.5}, "text": "x" * 100_000}, **common
        ) as run:
            run.define_metric("best", summary="max")
            for step in range(300):
                run.log(
                    {"acc": step / 10, "best": -step, "nan": float("nan"), "plot": wandb.Histogram([1, 2])}
                )
            run.config.update({"seed": 3})
            run.summary["final"] = {"top1": 0.5}
            run.summary["gone"] = 1
            del run.summary["gone"]
        run = wandb.init(project="p", id="bad", name="name", notes="note", group="g", **common)
        run.log({"acc": 1})
        run.finish(exit_code=3)
    return path / "wandb"


def read(path: Path) -> pd.DataFrame:
    rows = open_export(path)
    assert rows is not None
    return rows.set_index("ID")


def log_of(folder: Path, run: str) -> Path:
    (path,) = folder.glob(f"offline-run-*/run-{run}.wandb")
    return path


def test_settings_and_summaries_are_columns(folder: Path) -> None:
    rows = read(folder)
    large = rows.loc["large"]
    assert large["State"] == "finished"
    assert (large["config.opt.lr"], large["config.seed"], len(large["config.text"])) == (0.5, 3, 100_000)
    assert (large["summary.acc"], large["summary.final.top1"]) == (29.9, 0.5)
    assert large["summary.best.max"] == 0
    assert pd.isna(large["summary.nan"])
    assert not [
        name for name in rows if name.startswith(("summary._", "summary.gone", "summary.plot", "config._"))
    ]
    bad = rows.loc["bad"]
    assert bad[["Name", "State", "Notes", "Group", "summary.acc"]].tolist() == [
        "name",
        "failed",
        "note",
        "g",
        1,
    ]


def test_a_run_a_folder_of_runs_and_the_folder_above_are_opened(folder: Path) -> None:
    log = log_of(folder, "bad")
    for path in (log, log.parent):
        assert read(path).index.tolist() == ["bad"]
    assert sorted(read(folder.parent).index) == sorted(read(folder).index) == ["bad", "large"]


@pytest.mark.parametrize(("age", "state"), [(0, "running"), (3600, "crashed")])
def test_a_log_without_an_end_is_of_a_run_that_runs_or_crashed(
    folder: Path, tmp_path: Path, age: float, state: str
) -> None:
    log = Path(shutil.copy(log_of(folder, "large"), tmp_path))
    log.write_bytes(log.read_bytes()[: int(log.stat().st_size * 0.7)])
    os.utime(log, (time.time() - age,) * 2)
    row = read(tmp_path).loc["large"]
    assert row["State"] == state
    assert 10 < row["summary.acc"] < 29.9


def test_a_run_that_was_resumed_is_one_row(folder: Path, tmp_path: Path) -> None:
    for number, kept in ((1, 0.7), (2, 1.0)):
        log = Path(
            shutil.copytree(log_of(folder, "large").parent, tmp_path / f"offline-run-2026010{number}_1-large")
        )
        log /= "run-large.wandb"
        log.write_bytes(log.read_bytes()[: int(log.stat().st_size * kept)])
    rows = read(tmp_path)
    assert rows["State"].to_dict() == {"large": "finished"}
    assert rows["summary.acc"].tolist() == [29.9]


def test_damage_is_one_line(folder: Path, tmp_path: Path) -> None:
    log = Path(shutil.copy(log_of(folder, "large"), tmp_path))
    content = bytearray(log.read_bytes())
    content[40_000] ^= 1
    log.write_bytes(content)
    with pytest.raises(ValueError, match=r"run-large.wandb: the log is damaged at byte 32768$"):
        open_export(tmp_path)
    log.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"run-large.wandb: no log of Weights & Biases$"):
        open_export(tmp_path)


def test_a_log_that_does_not_name_its_run_is_one_line(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(log_of(folder, "bad").parent, tmp_path / log_of(folder, "bad").parent.name)
    lost = tmp_path / "offline-run-20260101_1-lost"
    lost.mkdir()
    (lost / "run-lost.wandb").write_bytes(MAGIC)
    with pytest.raises(
        ValueError, match=r"run-lost.wandb: has no record of its run, so .*; leave the file out$"
    ):
        open_export(tmp_path)


def test_several_projects_are_named(folder: Path, tmp_path: Path) -> None:
    for name in ("large", "bad"):
        shutil.copytree(log_of(folder, name).parent, tmp_path / log_of(folder, name).parent.name)
    log = log_of(tmp_path, "bad")
    other = log.read_bytes().replace(b"\x1a\x01p", b"\x1a\x01q", 1)  # the field of the project
    log.write_bytes(_checked(other))
    with pytest.raises(ValueError, match=r"it holds 2 projects \(p, q\); name one, as in '.*\?project=p'$"):
        open_export(tmp_path)
    assert open_export(f"{tmp_path}?project=q")["ID"].tolist() == ["bad"]  # type: ignore[index]


def _checked(content: bytes) -> bytes:
    """A log of less than one block, with new checksums."""
    import struct
    import zlib

    told, place = bytearray(content), len(MAGIC)
    while place < len(told):
        _, length, kind = struct.unpack_from("<IHB", told, place)
        chunk = bytes(told[place + 7 : place + 7 + length])
        struct.pack_into("<I", told, place, zlib.crc32(chunk, zlib.crc32(bytes([kind]))))
        place += 7 + length
    return bytes(told)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\x0a\x05ab", "a field ends too early"),
        (b"\x09\x01", "a field ends too early"),
        (b"\x0b", "no wire type 3"),
        (b"\xff", "a number ends too early"),
    ],
)
def test_bytes_that_are_no_message_are_refused(message: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(fields(message))


def test_fields_equal_those_of_the_library() -> None:
    from wandb.proto.wandb_internal_pb2 import RunExitRecord, SummaryItem

    item = SummaryItem(key="é", nested_key=["a", "b"], value_json="0.5")
    assert list(fields(item.SerializeToString())) == [(1, "é".encode()), (2, b"a"), (2, b"b"), (16, b"0.5")]
    assert list(fields(RunExitRecord(exit_code=300, runtime=2).SerializeToString())) == [(1, 300), (2, 2)]
