"""The memory of looks: the first complete look at a study is remembered once, and a later report knows of it."""

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.model.info import StudyInfo
from analysis.model.table import build_table
from analysis.statistics.comparisons.looks import Look
from study.report.looks import LOOKS, NOT_KEPT, copy_looks, read_looks, with_look
from tests.analysis import synthetic
from trainables.store.records import RecordStore

ARMS = [synthetic.arm_info("infonce"), synthetic.arm_info("dhel")]
SURFACES = {arm.label: synthetic.hill(peak=0.9, at=0.3, width=9.0) for arm in ARMS}


def analysed(seeds: Sequence[int], *, recorded: int | None = None) -> tuple[StudyInfo, pd.DataFrame]:
    """A study on these seeds. Only the first `recorded` seeds have records."""
    planned = synthetic.plan(ARMS, seeds=seeds)
    run = planned[planned["seed"].isin(list(seeds)[:recorded])]
    records = synthetic.run(run, SURFACES, noise=0.01, rng=np.random.default_rng(0))
    return synthetic.study_info(ARMS, seeds=seeds), build_table(planned, records)


def look(seeds: Sequence[int], home: Path, **options: int) -> Look | None:
    return with_look(*analysed(seeds, **options), home, home).look


def test_the_first_complete_look_is_remembered_when_seeds_are_added(tmp_path: Path) -> None:
    assert look((0, 1, 2), tmp_path, recorded=2) == Look(first=3, seeds=3)  # incomplete: not remembered
    assert look((0, 1), tmp_path) == Look(first=2, seeds=2)
    assert look((0, 1), tmp_path) == Look(first=2, seeds=2)
    assert look((0, 1, 2, 3, 4), tmp_path) == Look(first=2, seeds=5)
    assert look((0, 1, 2, 3, 4, 5), tmp_path) == Look(first=2, seeds=6)
    assert len(list((tmp_path / LOOKS).iterdir())) == 1


def test_one_seed_decides_nothing_and_is_no_look(tmp_path: Path) -> None:
    look((0,), tmp_path)
    assert look((0, 1, 2), tmp_path) == Look(first=3, seeds=3)


def test_other_seeds_in_place_of_those_looked_at_count_on_top(tmp_path: Path) -> None:
    look((0, 1, 2), tmp_path)
    assert look((2, 3, 4), tmp_path) == Look(first=3, seeds=5)


def test_a_study_without_any_trial_in_common_has_a_first_look_of_its_own(tmp_path: Path) -> None:
    look((0, 1), tmp_path)
    info, table = analysed((0, 1, 2))
    edited = table.assign(trial_id="new-" + table["trial_id"])
    assert with_look(info, edited, tmp_path, tmp_path).look == Look(first=3, seeds=3)
    assert look((0, 1, 2), tmp_path) == Look(first=2, seeds=3)
    assert len(read_looks([tmp_path])) == 2


def test_two_reports_at_once_leave_one_look(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: look((0, 1), tmp_path), range(8)))
    assert found == [Look(first=2, seeds=2)] * 8
    assert len(read_looks([tmp_path])) == 1
    assert len(list((tmp_path / LOOKS).iterdir())) == 1  # and no temporary file


def test_a_report_elsewhere_leaves_the_study_alone_and_says_so(tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    info, table = analysed((0, 1))
    assert with_look(info, table, home, out).look_note == NOT_KEPT
    assert not home.exists()
    assert with_look(*analysed((0, 1, 2)), home, out).look == Look(first=2, seeds=3)
    assert with_look(*analysed((0, 1, 2)), home, tmp_path / "other").look == Look(first=3, seeds=3)


def test_a_damaged_look_is_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    look((0, 1), tmp_path)
    [path] = (tmp_path / LOOKS).iterdir()
    for text in ("{", "[]", '{"seeds": [0], "trials": ["a"]}', '{"seeds": ["0"], "trials": []}'):
        path.write_text(text)
        assert read_looks([tmp_path]) == []
        assert "left out" in capsys.readouterr().err


def test_a_merge_takes_the_looks_along(tmp_path: Path) -> None:
    stores = [RecordStore(tmp_path / name) for name in ("one", "two", "both")]
    folders = [store.path / "studies" / "synthetic" for store in stores]
    look((0, 1), folders[0])
    look((2, 3, 4), folders[1])
    for _ in range(2):
        copy_looks(stores[:2], stores[2])
    assert len(read_looks([folders[2]])) == 2
    assert look((0, 1, 2, 3, 4), folders[2]) == Look(first=2, seeds=5)


def test_rows_of_a_table_are_known_by_their_values(tmp_path: Path) -> None:
    info, table = analysed((0, 1))
    info = dataclasses.replace(info, imported=True)
    with_look(info, table, tmp_path, tmp_path)
    more, rows = analysed((0, 1, 2))
    rows = rows.sample(frac=1, random_state=0).assign(trial_id=np.arange(len(rows)).astype(str))
    found = with_look(dataclasses.replace(more, imported=True), rows, tmp_path, tmp_path)
    assert found.look == Look(first=2, seeds=3)


def test_a_search_and_a_study_of_claims_have_no_looks(tmp_path: Path) -> None:
    info, table = analysed((0, 1))
    assert with_look(dataclasses.replace(info, adaptive=True), table, tmp_path, tmp_path).look is None
    assert not (tmp_path / LOOKS).exists()
