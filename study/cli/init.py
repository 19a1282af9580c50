"""`study init`: writes a commented study file to start from."""

from importlib import resources
from pathlib import Path

import click

from study.cli.options import guarded
from study.console import say, shell_line
from study.errors import StudyError, writing
from trainables.atomic import create_file
from trainables.suggestion import short_name


@click.command("init")
@click.argument("path", default="study.toml")
@guarded
def command(path: str) -> None:
    """Write a commented study file to PATH that can run unchanged.

    PATH is study.toml by default. The name of the study is the name of the file.
    """
    target = Path(path).expanduser()
    text = template_text(study_name(target))
    with writing("init", path):
        target.parent.stat()  # raises, since a folder that does not exist may be a typing error
        created = create_file(target, text.encode())
    if not created:
        raise StudyError(f"init: got {path}, which exists already; nothing is overwritten")
    say(f"Wrote {path}. Run it with: {shell_line('study', 'run', path)}")


def template_text(name: str) -> str:
    """The template of a study file for a study with this name."""
    text = (resources.files("study") / "template.toml").read_text(encoding="utf-8")
    return text.replace("NAME", name).replace("STUDY.toml", f"{name}.toml")


def study_name(target: Path) -> str:
    """The name of the study in the file `target`. Raises `StudyError` if it is not a valid study name."""
    from pydantic import TypeAdapter, ValidationError

    from study.spec.schema import Name

    if target.suffix != ".toml":
        raise StudyError(f"init: got {short_name(target)}, must be the path of a .toml file")
    try:
        return str(TypeAdapter(Name).validate_python(target.stem))
    except ValidationError:
        raise StudyError(
            f"init: got {short_name(target.name)}, must have a name of letters, digits, _, . and - only"
        ) from None
