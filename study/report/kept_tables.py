"""Reads the files that trials of task `sphere` keep for the report: gap curves and final embeddings.

A store may come from somebody else, so these files are read within bounds and in the writers' columns only. No result
depends on them: a file that cannot be used is left out, with one note.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from study.console import say_error
from study.spec.expand import PlannedTrial, TrialSet
from trainables.machine_faults import reason_of
from trainables.reading import TABLE_BYTES, read_bytes
from trainables.store.artefacts import curve_path, embeddings_path
from trainables.store.thrift import read_struct

if TYPE_CHECKING:
    import pandas as pd

    from analysis.study_analysis import StudyAnalysis

#: The columns of a curve and of final embeddings, apart from `pretrain_id`. An older file may lack some.
CURVE_COLUMNS: Mapping[str, pa.DataType] = {
    "step": pa.int64(),
    "epoch": pa.float64(),
    "samples_seen": pa.int64(),
    "train_loss": pa.float64(),
    "lr": pa.float64(),
    "val_knn_accuracy": pa.float64(),
    "z_effective_rank": pa.float64(),
    "h_effective_rank": pa.float64(),
    "samples_selection": pa.int64(),
    "train_loss_full": pa.float64(),
    "optimum_gap": pa.float64(),
    "val_information": pa.float64(),
}
EMBEDDINGS_COLUMNS: Mapping[str, pa.DataType] = {
    "view": pa.int64(),
    "pair": pa.int64(),
    "z": pa.list_(pa.float64()),
}

#: The columns that the report cannot do without.
_REQUIRED = frozenset({"step", "samples_seen", "samples_selection", "optimum_gap", *EMBEDDINGS_COLUMNS})

#: The most bytes of a file, also once it is decoded, and the most rows.
_MOST_BYTES, _MOST_ROWS = 128_000_000, 200_000

#: The most bytes of a footer, the codecs "none" and "snappy" by number, and how the files name their writer.
_MOST_FOOTER, _CODECS, _WRITER = 2**17, frozenset({0, 1}), b"parquet-cpp-arrow"


def with_kept(findings: "StudyAnalysis", trial_set: TrialSet, artefacts: Path) -> "StudyAnalysis":
    """The analysis with the trials' curves and embeddings, if the task keeps them. Each row has its `trial_id`."""
    own = trial_set.trials if trial_set.task.shows_kept_tables else ()
    return dataclasses.replace(
        findings,
        curves=_read(own, artefacts, curve_path, CURVE_COLUMNS),
        embeddings=_read(own, artefacts, embeddings_path, EMBEDDINGS_COLUMNS),
    )


def _read(
    trials: Sequence[PlannedTrial],
    artefacts: Path,
    path_of: Callable[[Path, str], Path],
    columns: Mapping[str, pa.DataType],
) -> "pd.DataFrame":
    import pandas as pd

    frames, faults, decoded = [], [], 0
    for trial in trials:
        path = path_of(artefacts, trial.keys.pretrain_id)
        try:
            table = read_kept(path, columns)
            decoded += table.nbytes
            if decoded > TABLE_BYTES:
                raise ValueError(f"all together have more than {TABLE_BYTES:,} bytes when decoded")
            if "z" in columns:
                _check_points(table, trial.config.task)
        except FileNotFoundError:  # not kept
            continue
        except MemoryError:  # also an error of pyarrow, but the file is not damaged
            raise
        except (OSError, ValueError, OverflowError, pa.ArrowException) as error:
            faults.append(f"{path} ({reason_of(error)})")
            continue
        ids = {"pretrain_id": trial.keys.pretrain_id, "trial_id": trial.keys.trial_id}
        frames.append(table.to_pandas(ignore_metadata=True).assign(**ids))
    if faults:
        more = f" and {len(faults) - 1:,} more" if len(faults) > 1 else ""
        say_error(f"left out of the report, which shows the others: {faults[0]}{more}")
    return pd.concat([frame for frame in frames if len(frame)] or [pd.DataFrame()], ignore_index=True)


def read_kept(path: Path, columns: Mapping[str, pa.DataType]) -> pa.Table:
    """Those of `columns` that a file has, with these types.

    Raises `OSError`, and `ValueError` or an error of `pyarrow` for a file that the writers do not write.
    """
    content = read_bytes(path, _MOST_BYTES)
    _check_size(content)
    file = pq.ParquetFile(pa.BufferReader(content), thrift_container_size_limit=4000, schema_depth_limit=4)
    schema = file.schema_arrow
    if len(set(schema.names)) < len(schema.names):
        raise ValueError("two of its columns have the same name")
    if absent := sorted(_REQUIRED & columns.keys() - set(schema.names)):
        raise ValueError(f"it has no column {absent[0]}")
    present = [name for name in columns if name in schema.names]
    for name in present:
        if not schema.field(name).type.equals(columns[name]):
            raise ValueError(f"its column {name} does not have the type {columns[name]}")
    table = file.read(columns=present, use_threads=False)
    table.validate(full=True)
    return table.replace_schema_metadata(None)  # `pandas` parses what is in it, even if told to ignore it


def _check_points(table: pa.Table, task: Any) -> None:
    """Raise `ValueError` unless the two views have the pairs of the task in order, and its dimension."""
    found = zip(table["view"].to_pylist(), table["pair"].to_pylist(), strict=True)
    if table.num_rows != 2 * task.n_pairs or list(found) != [
        (view, pair) for view in (0, 1) for pair in range(task.n_pairs)
    ]:
        raise ValueError(f"it does not have two views of {task.n_pairs:,} pairs")
    if any(z.as_py() is None or len(z) != task.dim for z in table["z"]):
        raise ValueError(f"its points do not all have {task.dim:,} numbers")


def _check_size(content: bytes) -> None:
    """Raise `ValueError` for a file that may decode to more than the bounds.

    `trainables.store.parquet_bounds` does this for records. It refuses dictionaries, which these files have: they can
    repeat a long text at no cost. Here only columns of numbers are decoded, so 9 bytes for each value bound them.
    """
    size = int.from_bytes(content[-8:-4], "little")
    if len(content) < 12 or not content.startswith(b"PAR1") or not content.endswith(b"PAR1"):
        raise ValueError("it is no Parquet file, or incomplete")
    if size > min(_MOST_FOOTER, len(content) - 12):
        raise ValueError("its footer is too large, or incomplete")
    footer, _ = read_struct(content, len(content) - 8 - size)
    if not _bytes(footer.get(6)).startswith(_WRITER):
        raise ValueError("another program has written it")
    groups = _structs(footer.get(4, []))
    rows = max(_whole(footer, 3), sum(_whole(group, 3) for group in groups))
    if rows > _MOST_ROWS:
        raise ValueError(f"it has {rows:,} rows, at most {_MOST_ROWS:,} are read")
    decoded = 0
    for column in (column for group in groups for column in _structs(group.get(1, []))):
        (facts,) = _structs([column.get(3)])
        if _whole(facts, 4) not in _CODECS or 1 in column:  # field 1 names another file
            raise ValueError("its columns are compressed in another way, or in another file")
        start = min(_whole(facts, field) for field in (9, 11) if field == 9 or field in facts)
        for page_bytes in _page_bytes(content, start, start + _whole(facts, 7)):
            decoded += page_bytes
            if decoded > _MOST_BYTES:
                raise ValueError(
                    f"it has more than {_MOST_BYTES:,} bytes when decoded, which is the most that is read"
                )


def _page_bytes(content: bytes, start: int, end: int) -> Iterator[int]:
    """The bytes of each page of a column when decoded: its own, and 9 for each value, also for an absent one."""
    if end > len(content):
        raise ValueError("its columns are not within the file")
    while start < end:
        page, start = read_struct(content, start)
        # The three kinds of pages: data of the first version, a dictionary, data of the second version.
        (data,) = _structs([page.get(5, page.get(7, page.get(8)))])
        yield _whole(page, 2) + 9 * _whole(data, 1)
        start += _whole(page, 3)


def _structs(found: Any) -> list[dict[int, Any]]:
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError("its footer is not that of a Parquet file")
    return found


def _bytes(found: Any) -> bytes:
    return found if isinstance(found, bytes) else b""


def _whole(struct: dict[int, Any], field: int) -> int:
    value = struct.get(field)
    if not isinstance(value, int) or value < 0:
        raise ValueError("its footer or a page has no valid size")
    return value
