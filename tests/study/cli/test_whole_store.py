"""`load_records` and `study report --from STORE` read a store as `study report STUDY` does, whatever befell it."""

import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from analysis import build_surface, cell_intervals, compare, load_records, robustness
from analysis.report.score_tables import decisions_table, scores_table
from analysis.statistics.comparisons.loss_values import AVERAGE
from analysis.study_analysis import analyse_table
from study.cli.main import main
from study.loaded import load_study
from study.report.study_table import study_table
from tests.study.cli.conftest import Finished
from tests.trainables.store.conftest import s3_port, s3_url  # noqa: F401  the fixtures
from trainables.store.attempts import read_whole_store
from trainables.store.merge import merge_stores
from trainables.store.records import RecordStore, open_store

METRIC = "test_probe10_accuracy"
MAPPING: dict[str, Any] = {
    "metric": METRIC,
    "selects": "val_probe10_accuracy",
    "worst": 0.1,
    "reference": "ntxent",
}
FRAGILE = "tests.study.cli.fragile_loss:Fragile"
SCORES = ["tuned", "mean", "mean_finished", "worst_tenth", "tolerance_volume"]
COUNTS = ["planned", "finished", "failed", "missing", "collapsed"]


@pytest.fixture(params=["damaged", "pruned", "compacted", "s3"])
def location(request: pytest.FixtureRequest, finished: Finished) -> str:
    """The store of a study after a mishap, each caused for real; the directory or URL where it is."""
    match request.param:
        case "damaged":
            damage(finished)
        case "pruned":
            prune(finished)
        case "compacted":
            compact(finished)
        case "s3":
            return copied_to(request.getfixturevalue("s3_url"), finished)
    return str(finished.store)


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a store with a URL keeps beside its records goes below the working directory."""
    monkeypatch.chdir(tmp_path)


def ntxent(finished: Finished) -> list[str]:
    """Trials of NT-Xent, in a fixed order."""
    return sorted(row["trial_id"] for row in finished.rows if row["loss"] == "ntxent")


def keep_single_files(finished: Finished) -> None:
    """Remove the compacted file that the launch wrote; the single files that it holds are not removed yet."""
    records = finished.store / "records"
    for path in records.glob("compact-*"):
        path.unlink()
    assert len(list(records.iterdir())) == 12


def damage(finished: Finished) -> list[str]:
    """One trial's later attempt is altered though it reads as Parquet, another's only one is cut short."""
    altered, cut = ntxent(finished)[:2]
    keep_single_files(finished)
    finished.put_again(altered)
    path = finished.store / "records" / f"{altered}.1.parquet"
    table = pq.read_table(path)
    place = table.schema.get_field_index(METRIC)
    pq.write_table(table.set_column(place, table.schema.field(place), pa.array([0.123])), path)
    path = finished.store / "records" / f"{cut}.0.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    return [f"{altered}.1.parquet", f"{cut}.0.parquet"]


def prune(finished: Finished) -> None:
    """Another study's search stopped one trial after it had a result, and one that has no result."""
    again, only = ntxent(finished)[:2]
    keep_single_files(finished)
    stop = {"status": "pruned", "pruned_by": "another", METRIC: None, "val_probe10_accuracy": None}
    finished.put_again(again, **stop)
    finished.put_again(only, **stop)
    (finished.store / "records" / f"{only}.0.parquet").unlink()


def compact(finished: Finished) -> None:
    """All records in one file."""
    for _ in range(2):  # join, then remove what was joined
        RecordStore(finished.store).compact(grace_seconds=0)
    (name,) = [path.name for path in (finished.store / "records").iterdir()]
    assert name.startswith("compact-12-")


def copied_to(url: str, finished: Finished) -> str:
    """The same records in an object store."""
    merge_stores([RecordStore(finished.store)], open_store(url), ())
    assert open_store(url).files.names("records")
    return url


def loaded_quietly(location: str) -> pd.DataFrame:
    """The rows, whatever was warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return load_records(location)


def study_says(finished: Finished, location: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and decisions in a report of the study on the same store."""
    loaded = load_study(str(finished.study), location, None)
    findings = analyse_table(*study_table(loaded.plan, loaded.study_file))
    return scores_table(findings).set_index("arm"), decisions_table(findings)


def report_from(location: str, out: Path) -> Result:
    words = [
        "--metric",
        METRIC,
        "--selects",
        "val_probe10_accuracy",
        "--worst",
        "0.1",
        "--reference",
        "ntxent",
    ]
    return CliRunner().invoke(main, ["report", "--from", location, "--out", str(out), *words])


def assert_same(scores: pd.DataFrame, decisions: pd.DataFrame, finished: Finished, location: str) -> None:
    """The numbers of the study's report, which has an arm for each value of the fragile loss's field."""
    told, told_decisions = study_says(finished, location)
    scores = scores.set_index("arm")
    assert scores.loc["ntxent", SCORES].tolist() == pytest.approx(
        told.loc["ntxent", SCORES].tolist(), nan_ok=True
    )
    assert scores.loc["ntxent", COUNTS].tolist() == told.loc["ntxent", COUNTS].tolist()
    arms = told.drop(index="ntxent")
    assert len(arms) == 2
    assert scores.loc[FRAGILE, "mean"] == pytest.approx(arms["mean"].mean())
    assert scores.loc[FRAGILE, COUNTS].tolist() == arms[COUNTS].sum().tolist()
    (wanted,) = told_decisions[told_decisions["question"] == AVERAGE]["difference"]
    (difference,) = decisions[decisions["question"] == AVERAGE]["difference"]
    assert decisions["loss"].unique().tolist() == [FRAGILE]
    assert difference == pytest.approx(wanted)


def test_scores_and_decisions_are_those_of_the_study(location: str, finished: Finished) -> None:
    rows = loaded_quietly(location)
    assert_same(robustness(rows, **MAPPING), compare(rows, **MAPPING), finished, location)


@pytest.mark.slow
def test_a_report_of_the_store_has_the_numbers_of_the_study(
    location: str, finished: Finished, tmp_path: Path
) -> None:
    result = report_from(location, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert ("study: damaged file" in result.stderr) == bool(read_whole_store(open_store(location)).damaged)
    tables = tmp_path / "out" / "tables"
    assert_same(pd.read_csv(tables / "scores.csv"), pd.read_csv(tables / "decisions.csv"), finished, location)


def test_damaged_files_are_named_and_cost_their_own_rows(finished: Finished, tmp_path: Path) -> None:
    whole = load_records(finished.store).set_index("trial_id")
    names = damage(finished)
    with pytest.warns(UserWarning, match="damaged file") as caught:
        rows = load_records(finished.store).set_index("trial_id")
    assert sorted(str(each.message).split()[2].rstrip(";") for each in caught) == sorted(names)
    assert caught[0].filename == __file__
    lost = names[1].split(".")[0]
    pd.testing.assert_frame_equal(rows, whole.drop(index=lost))
    result = CliRunner().invoke(
        main, ["import", str(finished.store), "--out", str(tmp_path / "out"), "--metric", METRIC]
    )
    assert result.exit_code == 0, result.output
    for name in names:
        assert f"study: damaged file: {name} (" in result.stderr
    imported = load_records(tmp_path / "out").set_index("trial_id")
    pd.testing.assert_frame_equal(imported, rows, check_dtype=False)


def test_stops_of_searches_replace_no_result(finished: Finished) -> None:
    again, only = ntxent(finished)[:2]
    before = load_records(finished.store).set_index("trial_id")
    prune(finished)
    rows = load_records(finished.store).set_index("trial_id")
    assert (
        rows.loc[again, ["status", "attempt", METRIC]].tolist()
        == before.loc[again, ["status", "attempt", METRIC]].tolist()
    )
    assert rows.loc[only, "status"] == "pruned"


def test_a_compacted_store_and_its_copy_hold_the_same_rows(finished: Finished, s3_url: str) -> None:  # noqa: F811
    keep_single_files(finished)
    loose = load_records(finished.store)
    compact(finished)
    pd.testing.assert_frame_equal(load_records(finished.store), loose)
    pd.testing.assert_frame_equal(load_records(copied_to(s3_url, finished)), loose)


def test_further_fields_of_losses_are_columns(finished: Finished) -> None:
    rows = load_records(finished.store)
    assert "hp_other" not in rows
    fragile = rows[rows["loss"] == FRAGILE]
    assert set(fragile["hp_at"]) == {12}
    assert set(fragile["hp_how"]) == {"raise", "nan"}
    assert rows.loc[rows["loss"] == "ntxent", ["hp_at", "hp_how"]].isna().all(axis=None)
    found = cell_intervals(fragile, ["hp_how", "hp_batch_size"], METRIC).set_index(
        ["hp_how", "hp_batch_size"]
    )
    assert found["failed"].to_dict() == {("nan", 8): 0, ("nan", 16): 2, ("raise", 8): 0, ("raise", 16): 2}
    small = fragile[(fragile["hp_how"] == "nan") & (fragile["hp_batch_size"] == 8)]
    assert found.loc[("nan", 8), "mean"] == pytest.approx(small[METRIC].mean())
    surface = build_surface(fragile, METRIC, y="hp_how")
    assert surface.y.tolist() == ["nan", "raise"]
    assert surface.values[0].mean(axis=1).tolist() == pytest.approx([small[METRIC].mean()] * 2)


def test_a_store_without_a_readable_record_is_named(tmp_path: Path) -> None:
    records = tmp_path / "store" / "records"
    records.mkdir(parents=True)
    with pytest.raises(ValueError, match=r"store: the record store holds no records$"):
        load_records(records.parent)
    (records / "aaaaaaaa.0.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"no records, but damaged files: aaaaaaaa\.0\.parquet \("):
        load_records(records.parent)
    result = report_from(str(records.parent), tmp_path / "out")
    assert result.exit_code == 2
    assert "aaaaaaaa.0.parquet" in result.stderr
    assert not (tmp_path / "out").exists()
