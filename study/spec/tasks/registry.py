"""Every task of a study by the name in its file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from study.spec.study_spec import StudySpec
from study.spec.tasks.diagnostic import DiagnosticStudy
from study.spec.tasks.images import ImagesStudy
from study.spec.tasks.protocol import StudyTask
from study.spec.tasks.sphere import SphereStudy

TASKS: dict[str, Callable[[Any, Path | None], StudyTask]] = {
    "images": ImagesStudy,
    "sphere": SphereStudy,
    "diagnostic": DiagnosticStudy,
}


def open_task(spec: StudySpec, data_root: Path | None) -> StudyTask:
    """What a study's task makes of its spec. Raises `StudyError`, above all for data that is not there."""
    return TASKS[spec.task](spec, data_root)
