"""The check of rows: each rule names column, value and what is allowed, alike for one row and for a table."""

import json
from typing import Any

import pyarrow as pa
import pytest

from tests.trainables.store.foreign import hostile_row
from tests.trainables.tiny_trial import tiny
from trainables.config import canonical_json
from trainables.store.row_check import MOST_ATTEMPTS, MOST_NAME, MOST_TEXT, fault_of, faults_of
from trainables.store.schema import Status

NAN, INFINITE = float("nan"), float("inf")

BAD: list[tuple[dict[str, Any], str]] = [
    ({"trial_id": "../../x"}, "trial_id is '../../x', must be 8 to 64 digits of 0-9 and a-f"),
    ({"trial_id": ""}, "trial_id is '', must be"),
    ({"trial_id": "0123456789abcde\n"}, r"trial_id is '0123456789abcde\n', must be"),
    ({"trial_id": "0123456789abcdef\n"}, r"trial_id is '0123456789abcdef\n', must be"),
    ({"trial_id": "0123456789ABCDEF"}, "trial_id is"),
    ({"trial_id": "٣" * 16}, "trial_id is"),
    ({"trial_id": None}, "trial_id is absent"),
    ({"config_id": "c 0"}, "config_id is"),
    ({"pretrain_id": "/etc/passwd"}, "pretrain_id is '/etc/passwd'"),
    ({"probe_id": "a" * 65}, "probe_id is"),
    ({"status": "owned"}, "status is 'owned', must be one of ok, diverged, crashed, oom, timeout, pruned"),
    ({"status": "OK"}, "status is 'OK'"),
    ({"attempt": -5}, "attempt is -5, must be from 0 to 999,999"),
    ({"attempt": 2**63 - 1}, "attempt is 9223372036854775807"),
    ({"attempt": None}, "attempt is absent"),
    ({"schema_version": 0}, "schema_version is 0"),
    ({"numerics_version": -1}, "numerics_version is -1"),
    ({"seed": -1}, "seed is -1"),
    ({"config": "no json"}, "config is 'no json', must be JSON"),
    ({"config": '{"loss": [1]}'}, "config has another value where a table belongs"),
    (
        {"config": '{"task": {"kind": "images", "training": 5}}'},
        "config has another value where a table belongs",
    ),
    ({"config": '{"loss": {"name": null}}'}, "config has another value where a name belongs"),
    ({"config": "[]"}, "config is '[]', must be a JSON object"),
    ({"config": '{"a":' + "9" * 5000 + "}"}, "config is"),
    ({"config": '{"a":' + "[" * 40 + "]" * 40 + "}"}, "config is nested deeper than 32 levels"),
    (
        {"config": "[" * 100_000},
        f"config is '{'[' * 99} ..., must be JSON (lists and objects are nested too deep)",
    ),
    ({"config": " " * (MOST_TEXT + 1)}, "config has 1,000,001 characters, must have at most 1,000,000"),
    ({"loss": "x" * (MOST_NAME + 1)}, "loss has 10,001 characters"),
    ({"stack": "0123456789 ../../x"}, "stack is"),
    ({"hp_batch_size": -1}, "hp_batch_size is -1"),
    ({"steps_done": -1}, "steps_done is -1"),
    ({"peak_memory_bytes": 2**62}, "peak_memory_bytes is"),
    ({"test_probe10_accuracy": 1.5}, "test_probe10_accuracy is 1.5, must be from 0 to 1"),
    ({"val_probe10_accuracy": -INFINITE}, "val_probe10_accuracy is -inf"),
    ({"seconds_total": -1.0}, "seconds_total is -1.0"),
    ({"started_at": -1}, "started_at is -1"),
    ({"started_at": 2**62}, "started_at is"),  # the year 148109
    ({"hp_other": [("margin", "no json")]}, "hp_other has margin = 'no json', must be a JSON value"),
    ({"hp_other": [("mar gin", "1")]}, "hp_other has the field 'mar gin'"),
    ({"hp_other": [("", "1")]}, "hp_other has the field ''"),
    ({"hp_other": [("a", '"' + "x" * MOST_TEXT + '"')]}, "hp_other must have at most 1,000,000 characters"),
]


@pytest.mark.parametrize(("changes", "reason"), BAD, ids=[reason[:40] for _, reason in BAD])
def test_what_breaks_a_rule_is_named(changes: dict[str, Any], reason: str) -> None:
    one = hostile_row(**changes)
    assert faults_of(one)[0].startswith(reason)
    good = hostile_row()
    assert faults_of(pa.concat_tables([good, one, good])) == {1: faults_of(one)[0]}
    assert "\n" not in faults_of(one)[0]


GOOD: list[dict[str, Any]] = [
    {},
    {"config": canonical_json(tiny("ntxent"))},
    {"attempt": MOST_ATTEMPTS, "seed": 2**63 - 1},
    {"train_loss_last": NAN, "hp_temperature": NAN, "test_probe10_accuracy": NAN},
    {"train_loss_last": INFINITE, "z_uniformity": -INFINITE, "optimum_gap": -1.0},
    {"test_probe10_accuracy": 1 + 1e-12},
    {"stack": f"{'a' * 20} {'b' * 20}", "stack_size": 2, "error_message": "a\nb\x1b", "started_at": None},
    {"hp_other": [("temperatur_τ", json.dumps([1.0, {"a": None}])), ("b", "NaN")]},
    *({"status": status.value} for status in Status),
]


@pytest.mark.parametrize("changes", GOOD)
def test_what_a_trial_can_write_passes(changes: dict[str, Any]) -> None:
    one = hostile_row(**changes)
    assert faults_of(one) == {}
    assert faults_of(pa.concat_tables([one, one])) == {}


def test_a_row_as_python_reads_it() -> None:
    (row,) = hostile_row(started_at=None).to_pylist()
    assert fault_of(row) is None
    assert fault_of(row | {"attempt": -1}) == "attempt is -1, must be from 0 to 999,999"


def test_text_that_is_not_utf8() -> None:
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff")]
    )
    table = hostile_row()
    place = table.schema.get_field_index("node")
    one = table.set_column(place, table.schema.field(place), broken)
    reason = "node has a value that cannot be decoded"
    assert faults_of(one) == {0: reason}
    assert faults_of(pa.concat_tables([table, one, hostile_row(attempt=-1)])) == {
        1: reason,
        2: "attempt is -1, must be from 0 to 999,999",
    }


def test_no_rows() -> None:
    assert faults_of(hostile_row().slice(0, 0)) == {}
