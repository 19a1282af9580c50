"""Merges stores: copies the records of several stores into one store, each record once.

The rules apply to each trial. A record that the target already has, under any attempt number, is not copied. If the
target has a result (not a failed computation or an early stop), no attempt is added, since a second result of the
same trial would replace the first. Otherwise the attempts of the source are added in their order, under their own
numbers or the next free ones. So a repeated merge changes nothing, also after a merge that was killed.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from trainables.store.files import RecordExistsError, StoreError
from trainables.store.inventory import Damage, retry_vanished, take_inventory
from trainables.store.record_file import Key, encode_row, record_digests
from trainables.store.records import RecordSet, RecordStore
from trainables.store.row_check import MOST_ATTEMPTS
from trainables.store.row_text import take_rows
from trainables.store.schema import Status

_WITHOUT_RESULT = (Status.CRASHED, Status.OOM, Status.TIMEOUT, Status.PRUNED)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One record of a store."""

    trial_id: str
    attempt: int
    status: str
    row: pa.Table
    content: str  # digest of all columns except the attempt number
    outcome: str  # digest of the columns that a rerun reproduces

    @property
    def is_result(self) -> bool:
        """Whether the trial was computed to its end, also if it diverged."""
        return self.status not in _WITHOUT_RESULT


@dataclass(kw_only=True)
class MergeReport:
    """The outcome of a merge: numbers of records, and the files and trials to report."""

    copied: int = 0
    present: int = 0  # left out: the target already has the same record
    repeated: int = 0  # left out: the target has the same result of the trial from another run
    differing: list[str] = field(default_factory=list)  # left out: trials whose result in the target differs
    failures: int = 0  # left out: failed and stopped attempts at trials of which the target has a result
    #: Files and rows of the sources that could not be read.
    damaged: list[Damage] = field(default_factory=list)
    #: Records of the sources that were not copied, with the reason.
    refused: list[str] = field(default_factory=list)


def merge_stores(
    sources: Sequence[RecordStore], target: RecordStore, run_columns: Collection[str]
) -> MergeReport:
    """Copy the missing records of `sources` into `target`. `run_columns` are the columns that no rerun reproduces.

    What fails the check of rows, or has other values than its digest says, is not copied and is in the report. Raises
    `StoreError` before anything is written if a source cannot be read, contains no records, is the target, or was
    written by a newer version.
    """
    report, records = MergeReport(), []
    for source in sources:
        found = _read_source(source, target)
        report.damaged += found.damaged
        records += _attempts(_as_written(found, source, report), run_columns)
    there: dict[str, list[Attempt]] = defaultdict(list)
    for each in _attempts(target.read_all().table, run_columns):
        there[each.trial_id].append(each)
    target.prepare()
    numbers = target.next_attempts()
    for each in records:
        if not _is_wanted(each, there[each.trial_id], report):
            continue
        number = max(each.attempt, numbers.get(each.trial_id, 0))
        if number > MOST_ATTEMPTS:
            report.refused.append(
                f"trial {each.trial_id}: it has no number for a further attempt in the target"
            )
            continue
        _put(target, each, number)
        report.copied += 1
        numbers[each.trial_id] = number + 1
        there[each.trial_id].append(each)
    target.compact()
    return report


def _read_source(source: RecordStore, target: RecordStore) -> RecordSet:
    if source.location == target.location:
        raise StoreError(f"store: cannot merge {source.location} into itself")
    found = source.read_all()
    if not found.table.num_rows and not found.damaged:
        raise StoreError(f"store: no records in {source.location}")
    return found


def _is_wanted(each: Attempt, there: list[Attempt], report: MergeReport) -> bool:
    """Whether to copy the attempt. Counts in the report what is left out."""
    results = [other for other in there if other.is_result]
    if any(other.content == each.content for other in there):
        report.present += 1
    elif results and not each.is_result:
        report.failures += 1
    elif results and each.outcome == results[-1].outcome:
        report.repeated += 1
    elif results:
        report.differing.append(each.trial_id)
    else:
        return True
    return False


def _put(target: RecordStore, each: Attempt, number: int) -> None:
    index = each.row.schema.get_field_index("attempt")
    row = each.row.set_column(index, each.row.schema.field(index), pa.array([number], pa.int64()))
    name = f"{each.trial_id}.{number}.parquet"
    if not target.files.put(f"records/{name}", encode_row(row)):
        raise RecordExistsError(
            f"store: {name} was written to {target.location} during the merge; merge again"
        )


def _attempts(table: pa.Table, run_columns: Collection[str]) -> list[Attempt]:
    """The records of a table, in its order."""
    columns = table.select(["trial_id", "attempt", "status"]).to_pydict().values()
    contents = record_digests(table.drop_columns(["attempt"]))
    outcomes = record_digests(table.drop_columns([*set(run_columns) & set(table.column_names)]))
    return [
        Attempt(
            trial_id=trial_id,
            attempt=attempt,
            status=status,
            row=table.slice(row, 1),
            content=contents[row],
            outcome=outcomes[row],
        )
        for row, (trial_id, attempt, status) in enumerate(zip(*columns, strict=True))
    ]


def _as_written(found: RecordSet, source: RecordStore, report: MergeReport) -> pa.Table:
    """The records whose values are those that their digests say. Others are added to the report.

    Raises `StoreError` if a record has values that this version would lose: the digest covers all written values.
    """
    digests = record_digests(found.table)
    changed = [row for row, digest in enumerate(found.digests) if digests[row] != digest]
    if not changed:
        return found.table
    known = _known_keys(source)
    for row in changed:
        key = found.table["trial_id"][row].as_py(), found.table["attempt"][row].as_py()
        if key not in known:
            raise StoreError(
                f"store: trial {key[0]} in {source.location} has columns that this version does not know; upgrade "
                "the package"
            )
        report.refused.append(
            f"trial {key[0]}, attempt {key[1]}: its values are not those that its digest says"
        )
    return take_rows(found.table, sorted(set(range(found.table.num_rows)) - set(changed)))


def _known_keys(source: RecordStore) -> set[Key]:
    """The records of compacted files of which this version knows every column."""
    compacted = retry_vanished(lambda: take_inventory(source.files)).compacted
    return {key for file in compacted if file.known for key in file.keys}
