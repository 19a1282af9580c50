"""`study init`: a commented study file to start from."""

from importlib import resources
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from study.console import CONSOLE
from study.errors import StudyError
from study.spec.schema import Name


def write_template(path: str) -> None:
    """Write the template to `path`, under whose name it runs. Raises `StudyError` where it cannot, or a file is."""
    target = Path(path).expanduser()
    text = template_text(study_name(target))
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise StudyError(f"init: got {path}, which is there already; nothing is overwritten") from None
    except OSError as error:
        raise StudyError(f"init: cannot write {path}: {error.strerror}") from error
    CONSOLE.print(f"Wrote {path}. Run it with: study run {path}", soft_wrap=True)


def template_text(name: str) -> str:
    """The template as the study `name`."""
    text = (resources.files("study") / "template.toml").read_text(encoding="utf-8")
    return text.replace("NAME", name).replace("STUDY.toml", f"{name}.toml")


def study_name(target: Path) -> str:
    """A file's name without its ending. Raises `StudyError` where that names no study."""
    if target.suffix != ".toml":
        raise StudyError(f"init: got {target}, must be the path of a .toml file")
    try:
        return str(TypeAdapter(Name).validate_python(target.stem))
    except ValidationError:
        raise StudyError(
            f"init: got {target.name}, must have a name of letters, digits, _, . and - only"
        ) from None
