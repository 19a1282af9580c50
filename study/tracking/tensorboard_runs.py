"""The tracker TensorBoard: event files in `<store>/studies/<study>/tensorboard`, with one folder for each run.

The package `tensorboard` itself writes them, so neither TensorFlow nor torch is needed. TensorBoard's HPARAMS page
shows settings and final metrics. It does not support tags, so they are among the settings.
"""

import hashlib
from pathlib import Path
from typing import Any

from analysis.names import visible
from study.tracking.tracked_run import TrackedRun

#: Bytes of a title in the name of a folder; file systems allow 255 in all.
_LONGEST = 180


class TensorboardRuns:
    """Writes one event file for each run."""

    def __init__(self, study: str, store: Path) -> None:
        self._folder = store / "studies" / study / "tensorboard"

    def write(self, run: TrackedRun) -> None:
        """Write settings, curve, final metrics (at step 0) and the end. Their time is the end of the trial."""
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        writer = EventFileWriter(str(self._folder / folder_name(run)))
        try:
            known = {**run.settings, **run.tags}
            writer.add_event(_event(run.started, hparams_pb(known, start_time_secs=run.started)))
            for step, point in [*run.curve.items(), (0, run.metrics)]:
                for name, value in point.items():
                    writer.add_event(_event(run.ended, _scalar(name, value), step))
            writer.add_event(_event(run.ended, _end(run)))
        finally:
            writer.close()


def folder_name(run: TrackedRun) -> str:
    """The folder's name, made from the title. TensorBoard treats two runs with the same title as one."""
    plain = visible(run.title).replace("/", "_")
    if len(plain.encode()) <= _LONGEST:
        return plain
    mark = hashlib.sha256(run.title.encode(errors="surrogatepass")).hexdigest()[:12]
    return f"{plain.encode()[:_LONGEST].decode(errors='ignore')} {mark}"


def _event(seconds: float, summary: Any, step: int = 0) -> Any:
    from tensorboard.compat.proto.event_pb2 import Event

    return Event(wall_time=seconds, step=step, summary=summary)


def _scalar(name: str, value: float) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(value=[Summary.Value(tag=name, simple_value=value)])


def _end(run: TrackedRun) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    status = api_pb2.STATUS_SUCCESS if run.has_result else api_pb2.STATUS_FAILURE
    info = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=run.ended)
    content = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=info))
    tag = metadata.SESSION_END_INFO_TAG
    return Summary(value=[Summary.Value(tag=tag, tensor=metadata.NULL_TENSOR, metadata=content)])
