"""The record schema: explicit, complete, and changed only on purpose."""

import subprocess
import sys

from tests.golden.contents import SCHEMA_GOLDEN, schema_lines
from tests.trainables.records_example import example_record
from trainables.store.schema import METRICS, column_unit, record_schema, record_to_table


def test_schema_is_frozen() -> None:
    """Regenerate with `uv run python -m tests.golden.regenerate`."""
    assert schema_lines() == SCHEMA_GOLDEN.read_text().splitlines()


def test_units_stand_in_the_field_metadata() -> None:
    schema = record_to_table(example_record()).schema
    assert schema.field("seconds_total").metadata[b"unit"] == b"s"
    assert schema.field("hp_batch_size").metadata[b"unit"] == b"pairs"


def test_every_number_has_a_unit() -> None:
    numbers = [field.name for field in record_schema() if str(field.type) in ("double", "int64")]
    assert [name for name in numbers if not column_unit(name)] == []


def test_every_metric_selects_and_reports() -> None:
    names = set(record_schema().names)
    assert {f"{part}_{metric}" for part in ("val", "test") for metric in METRICS} <= names


def test_schema_costs_no_torch() -> None:
    modules = (
        "trainables.evaluation.probes, trainables.store.schema, trainables.store.records, trainables.config"
    )
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
