"""Reads and checks a study file. The types of `study.spec.schema` and of the tasks define what it may contain.

`load_spec` takes the name of a shipped study or the path of a TOML file. Every error becomes one line that names the
file, the key, the value and what is allowed.
"""

from pydantic import BaseModel, ConfigDict, ValidationError

from study.errors import StudyError
from study.spec.faults import describe_fault
from study.spec.schema import StudySpec
from study.spec.source import Source, read_source
from study.spec.tasks.registry import TASKS
from study.spec.trust import check_trust
from trainables.reading import STUDY_BYTES
from trainables.suggestion import did_you_mean, shortened


class StudyFile(BaseModel):
    """A spec with the text it was read from. The text is archived with the results."""

    model_config = ConfigDict(frozen=True)

    spec: StudySpec
    text: str
    origin: str  # the name of the file in messages


def load_spec(name_or_path: str) -> StudyFile:
    """Read a shipped study by name, or a study file by path, with the studies it extends. Raises `StudyError`."""
    return check_source(read_source(name_or_path))


def check_source(source: Source) -> StudyFile:
    """The study file of a tree of keys, with its checked spec. Raises `StudyError`.

    A study file in a bundle that would import code, or act outside of the store, also needs `--trust-code`.
    """
    task = source.tree.get("task", next(iter(TASKS)))
    if not isinstance(task, str) or task not in TASKS:
        near = did_you_mean(str(task), TASKS)
        raise StudyError(
            f"{source.origin}: task: got {shortened(task)}{near}, must be one of {', '.join(TASKS)}"
        )
    model = TASKS[task].spec_type
    for key in source.tree:
        others = [name for name, kind in TASKS.items() if key in kind.spec_type.model_fields]
        if others and key not in model.model_fields:
            raise StudyError(
                f"{source.origin}: {key}: is for task {', '.join(others)}, and this is task {task}"
            )
    try:
        spec = model.model_validate(source.tree)
    except ValidationError as error:
        raise StudyError(f"{source.origin}: {describe_fault(error, model)}") from error
    check_trust(spec, source.bundle, source.origin)
    text = source.text
    if (size := len(text.encode())) > STUDY_BYTES:  # the store keeps this text, and commands read it there
        raise StudyError(
            f"{source.origin}: the study has {size:,} bytes with the studies that it extends; at most "
            f"{STUDY_BYTES:,} are read"
        )
    return StudyFile(spec=spec, text=text, origin=source.origin)
