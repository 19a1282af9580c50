"""`study verify --no-code`: each change that leaves a contradiction is one line, and exit code 1."""

import csv
import errno
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.file_operations import place_of, replaced_operations
from tests.study.cli.conftest import Finished
from tests.study.running import invoke
from trainables.store.compacted_file import encode_compacted
from trainables.store.record_file import record_digests
from trainables.store.records import RecordStore
from trainables.store.schema import record_schema

Row = dict[str, Any]


def verify(*words: object) -> tuple[int, dict[str, Any]]:
    result = invoke("verify", *words, "--no-code", "--json")
    assert result.stderr == ""
    return result.exit_code, json.loads(result.stdout)


def rewrite(store: Path, change: Callable[[list[Row]], None], *, digests: bool = True) -> list[Row]:
    """Change the rows of a store as a careful person would, with new digests and names of files."""
    [file] = (store / "records").iterdir()
    read = RecordStore(store).read_all()
    rows = read.table.to_pylist()
    change(rows)
    table = type(read.table).from_pylist(rows, schema=record_schema())
    written = record_digests(table) if digests else read.digests
    name, content = encode_compacted(table, written, ())
    file.unlink()
    (store / name).write_bytes(content)
    return rows


def test_an_intact_bundle(packed: Path, unpacked: Path) -> None:
    for said in (packed, unpacked):
        code, told = verify(said)
        assert (code, told["contradictions"], told["checks"]) == (0, [], str(said))
        assert "12 records: digest of each, and columns of its settings against its config" in told["checked"]
        assert "4 records: ids computed again from config and data fingerprint" in told["checked"]
        assert "12 planned trials: 12 have a record, 0 are missing" in told["checked"]
        assert told["unchecked"][0].startswith("the ids of 8 records, which depend on own code")
    assert verify("tiny", "--store", packed)[0] == 0


def test_an_intact_store(original: Finished) -> None:
    code, told = verify("--store", original.store)
    assert (code, told["contradictions"]) == (0, [])
    assert not any("planned" in line for line in told["checked"])
    code, told = verify(original.study, "--store", original.store)
    assert code == 0
    assert "12 planned trials: 12 have a record, 0 are missing" in told["checked"]
    result = invoke("verify", "other", "--store", original.store, "--no-code")
    assert result.exit_code == 2
    assert "has no trials of a study 'other'" in result.stderr


def test_a_changed_value(unpacked: Path, original: Finished) -> None:
    def change(rows: list[Row]) -> None:
        next(row for row in rows if row["trial_id"] == trial)["test_probe10_accuracy"] = 0.99

    trial = original.ids("ok")[0]
    before = next(row for row in original.rows if row["trial_id"] == trial)["test_probe10_accuracy"]
    rewrite(unpacked, change, digests=False)
    code, told = verify(unpacked)
    line = f"{trial}.0: its values are not those that were written; their digest differs"
    in_csv = f"records.csv: {trial}.0: test_probe10_accuracy is {str(before)!r}, and '0.99' in the record"
    assert (code, told["contradictions"]) == (1, [line, in_csv])
    rewrite(unpacked, change)
    assert verify(unpacked)[1]["contradictions"] == [in_csv]
    result = invoke("verify", unpacked, "--no-code")
    assert result.exit_code == 1
    assert f"Contradiction: {in_csv}" in result.stdout
    assert f"{unpacked}: 1 contradiction found." in result.stdout


def test_a_changed_config(unpacked: Path, original: Finished) -> None:
    def change(rows: list[Row]) -> None:
        row = next(row for row in rows if row["trial_id"] == trial)
        tree = json.loads(row["config"])
        tree["task"]["training"]["momentum"] = 0.5
        row["config"] = json.dumps(tree, sort_keys=True, separators=(",", ":"))

    trial = next(row["trial_id"] for row in original.rows if row["loss"] == "ntxent")
    rewrite(unpacked, change)
    code, told = verify("--store", unpacked)
    assert code == 1
    records = [line for line in told["contradictions"] if line.startswith(f"{trial}.0: ")]
    assert records[0] == f"{trial}.0: hp_momentum is 0.9, and 0.5 in its config"
    assert [line.split()[1] for line in records[1:]] == ["trial_id", "config_id", "pretrain_id"]
    assert all(line.endswith("in the hash of its config") for line in records[1:])


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("", "row 0 (config is '', must be JSON ("),
        ("{", "row 0 (config is '{', must be JSON ("),
        ("[]", "row 0 (config is '[]', must be a JSON object)"),
        ('{"task": 1}', "row 0 (config has another value where a table belongs)"),
        ("[" * 20_000, "must be JSON (lists and objects are nested too deep)"),
        ('{"task": {"kind": "x"}}', ".0: its config is no config of a trial"),
    ],
)
def test_a_config_that_is_none(config: str, said: str, unpacked: Path) -> None:
    def change(rows: list[Row]) -> None:
        rows[0]["config"] = config

    rewrite(unpacked, change)
    code, told = verify(unpacked)
    assert code == 1
    assert any(said in line for line in told["contradictions"]), told["contradictions"]


def test_a_removed_record(unpacked: Path) -> None:
    removed: list[Row] = []
    rewrite(unpacked, lambda rows: removed.append(rows.pop()))
    code, told = verify(unpacked)
    assert code == 1
    assert told["contradictions"] == [
        f"records.csv: has {removed[0]['trial_id']}.0, which records/ lacks or has once"
    ]
    assert "12 planned trials: 11 have a record, 1 are missing" in told["checked"]


def test_an_added_record(unpacked: Path) -> None:
    def change(rows: list[Row]) -> None:
        rows.append(rows[-1] | {"trial_id": "0123456789abcdef0123"})

    rewrite(unpacked, change)
    code, told = verify(unpacked)
    assert code == 1
    assert "0123456789abcdef0123.0: is a trial that bundle.json does not plan" in told["contradictions"]
    assert "records.csv: lacks the record 0123456789abcdef0123.0" in told["contradictions"]


def test_a_damaged_file(unpacked: Path) -> None:
    [file] = (unpacked / "records").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    code, told = verify(unpacked)
    assert code == 1
    assert f"records/{file.name} (its content is not what was written)" in told["contradictions"]


def test_changed_files_of_a_bundle(unpacked: Path, original: Finished) -> None:
    study, table, planned = (
        unpacked / name for name in ("studies/tiny/study.toml", "records.csv", "bundle.json")
    )
    study.write_text(study.read_text() + "\n# more\n")
    with table.open(newline="") as file:
        rows = list(csv.reader(file))
    rows[1][rows[0].index("seed")] = "99"
    rows.append(["x", "0"])
    with table.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    told = json.loads(planned.read_text())
    told["planned"][0]["hp_batch_size"] = 99
    planned.write_text(json.dumps(told))
    (unpacked / "my_losses.py").touch()
    code, found = verify(unpacked)
    assert code == 1
    first, trial = rows[1][0], told["planned"][0]["trial_id"]
    seed = next(row["seed"] for row in original.rows if row["trial_id"] == first)
    assert found["contradictions"] == [
        f"{trial}.0: hp_batch_size is 8, and 99 in bundle.json",
        f"records.csv: {first}.0: seed is '99', and '{seed}' in the record",
        "records.csv: has x.0, which records/ lacks or has once",
        "studies/tiny/study.toml: is not the study file in bundle.json",
    ]
    assert "my_losses.py, which `study bundle` does not write; they are not checked" in found["unchecked"]
    table.unlink()
    assert "records.csv: is missing" in verify(unpacked)[1]["contradictions"]


def test_a_planned_list_where_the_record_has_a_text(unpacked: Path) -> None:
    planned = unpacked / "bundle.json"
    told = json.loads(planned.read_text())
    row = next(each for each in told["planned"] if each.get("hp_how") == "raise")
    trial, row["hp_how"] = row["trial_id"], 3
    planned.write_text(json.dumps(told))
    assert verify(unpacked)[1]["contradictions"] == [f"{trial}.0: hp_how is 'raise', and 3 in bundle.json"]


class NoDescriptors:
    """Lets the system open every file but one."""

    on = True

    def __init__(self, path: Path) -> None:
        self.folder, self._path = str(path.parent), str(path)

    def at(self, operation: str, path: Any) -> None:
        if operation == "open" and place_of(path) == self._path:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), self._path)


@pytest.mark.parametrize("file", ["records.csv", "studies/tiny/study.toml"])
def test_no_descriptors_are_no_contradiction(file: str, unpacked: Path) -> None:
    """A fault of the machine ends the command, and does not count as a contradiction."""
    with replaced_operations(NoDescriptors(unpacked / file)):
        result = invoke("verify", unpacked, "--no-code")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Too many open files" in result.stderr


def test_no_descriptors_for_the_ids_of_a_study(finished: Finished) -> None:
    path = finished.store / "studies/tiny/archive.json"
    with replaced_operations(NoDescriptors(path)):
        result = invoke("verify", "tiny", "--store", finished.store, "--no-code")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"study: store: cannot read {path} (Too many open files); ")


def test_a_file_of_many_rows_ends_early(unpacked: Path) -> None:
    path = unpacked / "records.csv"
    before = path.read_text()
    path.write_text(before + "1\n" * 20_000)
    _, told = verify(unpacked)
    lines = [line for line in told["contradictions"] if line.startswith("records.csv: ")]
    assert len(lines) == 1001
    assert lines[-1] == "records.csv: differs in more places, which are not listed"
    path.write_text(before + "1\n" * 1_000_000)
    _, told = verify(unpacked)
    [line] = [line for line in told["contradictions"] if line.startswith("records.csv: ")]
    assert re.fullmatch(r"records\.csv: cannot be read \(has [\d,]+ bytes; at most [\d,]+ are read\)", line)
