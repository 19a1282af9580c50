"""A first slice of the papers' protocol: one seed and one batch size of the losses that have a temperature.

Trials are those of `study/specs/published/cifar10_protocol.toml` with fewer epochs, so they are no results of that
study. All losses of one temperature run at the same time and before the next temperature, so a cut leaves whole
temperatures.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.gpu.rows import Row, Rows
from tests.benchmarks.gpu.settings import Settings
from trainables.atomic import replace_file
from trainables.concurrent import ConcurrentGroup
from trainables.runtime import chosen_execution
from trainables.store.schema import TrialRecord, record_to_table

RECORDS = "records.parquet"

EPOCHS = "epochs of each trial, instead of 200"

_SLICE = """
extends = "cifar10_protocol"
name = "cifar10_protocol_slice"
description = "A first slice of the papers' protocol, with fewer epochs"
seeds = [0]
[data]
name = "{data}"
[training]
epochs = {epochs}
[axes]
batch_size = [256]
"""

#: What a test runs instead, with all else as it is above.
_QUICK = """
[encoder]
name = "small_conv"
[probe]
sgd_epochs = 2
"""


def protocol(settings: Settings) -> Rows:
    """A row for each trial that ended. After each trial, `records.parquet` has the records of all."""
    end = time.perf_counter() + settings.seconds
    records: list[TrialRecord] = []
    with TemporaryDirectory() as folder:
        units, at_once = _units(settings, Path(folder) / "slice.toml")
        yield Row(what="trials planned", value=len(units), unit="trials")
        yield Row(what=EPOCHS, value=settings.epochs, unit="epochs")
        yield Row(what="execution", value=chosen_execution(settings.execution, settings.device))
        group = ConcurrentGroup(settings.context(Path(folder) / "store", settings.execution, at_once))
        started = time.perf_counter()
        while (units or group.running) and time.perf_counter() < end:
            while units and group.has_room(units[0]):
                group.start(units.pop(0))
            for record in group.turn():
                records.append(record)
                _write(settings.out / RECORDS, records)
                yield from _rows(record, records, time.perf_counter() - started)
            for note in group.notes():
                yield Row(what="note", value=note)
        if left := len(units) + len(group.running):
            yield Row(what="trials that the time did not allow", value=left, unit="trials")
        group.close()


def _units(settings: Settings, study: Path) -> tuple[list, int]:
    """The trials in the order in which they run, and how many run at the same time: one of each loss."""
    from study.spec.expand import expand  # needs pydantic, which the other parts do not
    from study.spec.load import load_spec

    text = _SLICE.format(data=settings.data_name, epochs=settings.epochs)
    study.write_text(text + _QUICK if settings.quick else text)
    planned = expand(load_spec(str(study)).spec, settings.data_root).trials
    configs = [trial.config for trial in planned if "temperature" in trial.config.loss.params]
    configs.sort(key=lambda config: config.loss.params["temperature"])
    at_once = len({config.loss.name for config in configs})
    if settings.quick:
        del configs[at_once:]
    return [settings.unit(config) for config in configs], at_once


def _rows(record: TrialRecord, records: list[TrialRecord], seconds: float) -> Rows:
    good = record.status == "ok"
    yield Row(
        what=f"{record.loss}, temperature {record.hp_temperature:g}: test accuracy of probe_sgd",
        value=record.test_probe_sgd_accuracy if good else f"{record.status}: {record.error_message}",
        loss=record.loss,
        temperature=record.hp_temperature or 0.0,
        batch_size=record.hp_batch_size or 0,
        execution=record.execution_mode or "",
    )
    yield Row(what="trials with a record", value=len(records), unit="trials")
    yield Row(what="trials an hour", value=3600 * len(records) / seconds, unit="trials/h")


def _write(path: Path, records: list[TrialRecord]) -> None:
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.concat_tables(map(record_to_table, records)), buffer)
    replace_file(path, buffer.getvalue().to_pybytes())
