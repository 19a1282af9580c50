"""Mutated record files: bytes that no writer wrote, and rows that a hostile writer wrote well."""

import random
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fuzz.conftest import Origin
from tests.fuzz.mutate import mutated_bytes, mutated_row
from tests.fuzz.watched import run
from trainables.store.compacted_file import encode_compacted
from trainables.store.record_file import encode_row, record_digests
from trainables.store.schema import record_schema

pytestmark = pytest.mark.slow

#: Cases in a test, and tests: 600 cases in all.
_CASES, _TESTS = 30, 20


@pytest.mark.parametrize("first", range(0, _CASES * _TESTS, _CASES))
def test_a_mutated_record_costs_only_itself(first: int, origin: Origin, scratch: Path) -> None:
    found: list[str] = []
    for case in range(first, first + _CASES):
        chance = random.Random(case)
        store, merged = scratch / f"store{case}", scratch / f"merged{case}"
        shutil.copytree(origin.store, store)
        _damage(store / "records", chance)
        read = ["--store", store]
        commands: list[list[object]] = [
            ["status", origin.study, *read],
            ["failures", origin.study, *read],
            ["show", "0", *read],
            ["gc", *read],
            ["merge", store, "--into", merged],
            ["status", origin.study, "--store", merged],
        ]
        if case % _CASES == 0:
            commands.append(["report", origin.study, *read])
        for words in commands:
            outcome = run(*words, allowed=(scratch,), hostile=store)
            found += [f"case {case}, {words[0]}: {fault}" for fault in outcome.faults()]
        shutil.rmtree(store)
        shutil.rmtree(merged, ignore_errors=True)
    assert not found, "\n".join(found)


def _damage(records: Path, chance: random.Random) -> None:
    """Change one of the record files, or add one."""
    path = chance.choice(sorted(records.glob("*.parquet")))
    kind = chance.randrange(4)
    if kind == 0:
        path.write_bytes(mutated_bytes(path.read_bytes(), chance))
        return
    table = pq.ParquetFile(path).read()
    row = mutated_row(table.to_pylist()[0], chance)
    try:
        hostile = pa.Table.from_pylist([row], schema=record_schema())
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):  # no file can hold this value
        path.write_bytes(b"")
        return
    if kind == 1:
        path.write_bytes(encode_row(hostile))
    elif kind == 2:
        content = encode_row(hostile)
        (
            records / chance.choice((f"{'0' * 20}.0.parquet", f"{'f' * 20}.7.parquet", "x.parquet"))
        ).write_bytes(content)
    else:
        others = pa.Table.from_pylist(table.to_pylist(), schema=record_schema())
        joined = pa.concat_tables([others, hostile])
        replaces = [f"records/{other.name}" for other in records.iterdir()] if chance.random() < 0.5 else []
        name, content = encode_compacted(joined, record_digests(joined), replaces)
        (records.parent / name).write_bytes(content)
