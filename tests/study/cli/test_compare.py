"""`study compare` puts studies and imported tables in one report."""

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from study.cli.compare import unique_names
from tests.prose import assert_says
from tests.study.cli.conftest import Finished
from tests.study.conftest import TINY, WriteStudy
from tests.study.running import invoke


@pytest.fixture
def tables(tmp_path: Path) -> list[Path]:
    """Two imported folders of one loss each, on one data set and on another."""
    folders = []
    for name, peak in (("one", 0.8), ("two", 0.7)):
        rows = [
            {"set": name, "loss": "a", "seed": seed, "batch": batch, "tau": tau, "acc": peak - tau / 10}
            for seed in (0, 1)
            for batch in (32, 64)
            for tau in (0.1, 0.2)
        ]
        pd.DataFrame(rows).to_csv(tmp_path / f"{name}.csv", index=False)
        keys = ("--metric", "acc", "--data", "set")
        assert invoke("import", tmp_path / f"{name}.csv", "--out", tmp_path / name, *keys).exit_code == 0
        folders.append(tmp_path / name)
    return folders


@pytest.mark.slow
def test_a_study_beside_its_variation(finished: Finished, tmp_path: Path) -> None:
    """The other one differs in its budget and has no record yet."""
    other = tmp_path / "other.toml"
    other.write_text(TINY.replace('"tiny"', '"other"').replace("steps = 3", "steps = 5"))
    before = sorted(finished.store.rglob("*"))
    result = invoke("compare", finished.study, other, "--store", finished.store, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out" / "report.md").read_text()
    assert "NT-Xent (tiny)" in text
    assert "NT-Xent (other)" in text
    said = "Failed check “Studies differ in budget”: budget in steps: 3 in tiny, 5 in other."
    assert said in result.stdout
    assert said in text.partition("## Losses by score")[0]
    assert said in (tmp_path / "out" / "report.html").read_text().partition('class="contents"')[0]
    assert_says(text, "Provisional", "12 of 24 planned trials")
    assert sorted(finished.store.rglob("*")) == before


@pytest.mark.slow
def test_a_packed_bundle_beside_a_table_of_its_name(finished: Finished, tmp_path: Path) -> None:
    """The table has the metric of the bundle's study. A difference in a column that only the table has is told."""
    result = invoke("bundle", finished.study, "--store", finished.store, "--out", tmp_path / "tiny.zip")
    assert result.exit_code == 0, result.output
    rows = pd.DataFrame(finished.rows).query("loss == 'ntxent'")
    names = ["loss", "seed", "hp_batch_size", "test_probe10_accuracy", "val_probe10_accuracy"]
    rows[names].assign(hp_steps=7).to_csv(tmp_path / "tiny.csv", index=False)
    sources = (tmp_path / "tiny.zip", tmp_path / "tiny.csv")
    result = invoke("compare", *sources, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "budget in steps: 3 in tiny.zip, 7 in tiny.csv." in result.stdout
    text = (tmp_path / "out" / "report.md").read_text()
    assert "ntxent (tiny.csv)" in text
    assert "Not recorded, so it may differ, by tiny.csv: data set, training images" in text


@pytest.mark.slow
def test_an_unpacked_bundle_beside_a_study(finished: Finished, tmp_path: Path) -> None:
    packed, other = tmp_path / "tiny.zip", tmp_path / "other.toml"
    result = invoke("bundle", finished.study, "--store", finished.store, "--out", packed)
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "unpacked")
    other.write_text(TINY.replace('"tiny"', '"other"'))
    [folder] = (path.parent for path in (tmp_path / "unpacked").rglob("bundle.json"))
    result = invoke("compare", folder, other, "--store", finished.store, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    failed = "16 trials, 4 of tests.study.cli.fragile_loss:Fragile (tiny) failed"
    assert_says((tmp_path / "out" / "report.md").read_text(), "8 of 24 planned trials", failed)


@pytest.mark.slow
def test_an_imported_table_beside_a_study(finished: Finished, tmp_path: Path) -> None:
    """What the README says that it needs: the study's metric, what selects, and its data set's name."""
    metric, selects = "test_probe10_accuracy", "val_probe10_accuracy"
    names = ["loss", "seed", "status", "hp_batch_size", metric, selects]
    rows = pd.DataFrame(finished.rows)[names].replace({"loss": {"ntxent": "theirs"}})
    rows[rows["loss"] == "theirs"].assign(set="digits").to_csv(tmp_path / "results.csv", index=False)
    words = ("--metric", metric, "--selects", selects, "--data", "set")
    imported = invoke("import", tmp_path / "results.csv", "--out", tmp_path / "imported", *words)
    assert imported.exit_code == 0, imported.output
    out = ("--store", finished.store, "--out", tmp_path / "both")
    result = invoke("compare", finished.study, tmp_path / "imported", *out)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "both" / "report.md").read_text()
    assert "NT-Xent (tiny)" in text
    assert "theirs (results)" in text


@pytest.mark.slow
def test_tables_on_other_data_become_data_sets(tables: list[Path], tmp_path: Path) -> None:
    result = invoke("compare", *tables, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "Data sets side by side" in (tmp_path / "out" / "report.md").read_text()
    assert (tmp_path / "out" / "figures" / "one" / "surfaces.svg").exists()


@pytest.mark.slow
def test_a_table_with_data_sets_is_reported_from_the_command_line(tables: list[Path], tmp_path: Path) -> None:
    both = pd.concat([pd.read_csv(f"{folder}.csv") for folder in tables])
    both.to_csv(tmp_path / "both.csv", index=False)
    words = ("--from", tmp_path / "both.csv", "--metric", "acc", "--data", "set")
    result = invoke("report", *words, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "Data sets side by side" in (tmp_path / "out" / "report.md").read_text()


def test_what_cannot_be_compared_is_one_line(
    tables: list[Path], write_study: WriteStudy, tmp_path: Path
) -> None:
    out = ("--out", tmp_path / "out")
    study = write_study()
    store = ("--store", tmp_path / "store")
    (tmp_path / "bad.zip").write_text("no archive")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("notes.txt", "nothing")
    (tmp_path / "folder").mkdir()
    faults = {
        "got 1 study; name at least two": (tables[0],),
        "is named twice": (tables[0], tables[0]),
        "--metric: is missing; the table has the columns": (tmp_path / "one.csv", tmp_path / "two.csv"),
        "--metric: is for tables and stores": (*tables, "--metric", "acc"),
        "no.csv: no such file": (tables[0], tmp_path / "no.csv"),
        "no.zip: cannot be read (No such file or directory)": (tables[0], tmp_path / "no.zip"),
        "bad.zip: is not a zip file that can be read": (tables[0], tmp_path / "bad.zip"),
        "empty.zip: contains no bundle": (tables[0], tmp_path / "empty.zip"),
        "folder: must be a study, a bundle, a table": (tables[0], tmp_path / "folder"),
        "studies are compared in one metric": (tables[0], study, *store),
        "must be a .toml file or one of": (tables[0], "nothing", *store),
    }
    for said, words in faults.items():
        result = invoke("compare", *words, *out)
        assert result.exit_code == 2, result.output
        assert said in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_row_without_a_data_set_is_one_line(tables: list[Path], tmp_path: Path) -> None:
    both = pd.concat([pd.read_csv(f"{folder}.csv") for folder in tables], ignore_index=True)
    both.loc[3, "set"] = None
    both.to_csv(tmp_path / "both.csv", index=False)
    words = ("--metric", "acc", "--data", "set", "--out", tmp_path / "out")
    for command in (("report", "--from", tmp_path / "both.csv"), ("import", tmp_path / "both.csv")):
        result = invoke(*command, *words)
        assert result.exit_code == 2
        assert "data: row 4 names no data set, where others do" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_an_out_that_is_a_file_is_one_line(tables: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    result = invoke("compare", *tables, "--out", tmp_path / "file")
    assert result.exit_code == 2
    assert "--out: cannot write to" in result.stderr


@pytest.mark.parametrize(
    ("names", "sources", "expected"),
    [
        (["a", "b"], ["x/a", "x/b"], ["a", "b"]),
        (["results", "results"], ["runs/a/results", "runs/b/results"], ["results-a", "results-b"]),
        (["one", "one"], ["one.zip", "one.toml"], ["one.zip", "one.toml"]),
        (["one", "one 1", "one"], ["x/one", "y", "x/z/one"], ["one-x", "one 1", "one-z"]),
        (["one", "one", "one-x"], ["x/one", "z/one", "y"], ["one 1", "one-z", "one-x"]),
    ],
)
def test_studies_of_one_name_are_told_apart(
    names: list[str], sources: list[str], expected: list[str]
) -> None:
    assert unique_names(names, sources) == expected
