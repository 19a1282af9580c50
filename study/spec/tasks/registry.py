"""Every task by the name that study files use; the first is the default."""

from pathlib import Path

from study.spec.schema import StudySpec
from study.spec.tasks.diagnostic import DiagnosticStudy
from study.spec.tasks.images import ImagesStudy
from study.spec.tasks.protocol import StudyTask
from study.spec.tasks.sphere import SphereStudy

TASKS: dict[str, type[StudyTask]] = {
    "images": ImagesStudy,
    "sphere": SphereStudy,
    "diagnostic": DiagnosticStudy,
}


def open_task(spec: StudySpec, data_root: Path | None) -> StudyTask:
    """The task of a study. Raises `StudyError`, for example when the data set is not found."""
    return TASKS[spec.task](spec, data_root)
