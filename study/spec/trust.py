"""What a study file from a bundle would do on this machine besides training: a stranger wrote it.

It may import code, read files outside of the data root, and send results to a tracker.
"""

from collections.abc import Iterator
from pathlib import Path, PurePath

from study.errors import StudyError
from study.spec.schema import StudySpec
from trainables.bundle_folder import bundle_around
from trainables.datasets.datasets import is_own_name
from trainables.own_code import strangers_trusted
from trainables.own_files import is_import_path


def check_trust(spec: StudySpec, bundle: Path | None, origin: str) -> None:
    """Raise `StudyError` if a study file of a bundle needs the user's trust, and the user has not given it."""
    acts = [] if bundle is None or strangers_trusted() else list(_acts(spec))
    if acts:
        raise StudyError(
            f"{origin}: is in the bundle {bundle} and would {', '.join(acts)}; add --trust-code if you trust the "
            "author of the bundle"
        )


def check_own_name(name: str) -> None:
    """Raise `StudyError` for an import path on the command line, if the working directory is in a bundle."""
    bundle = bundle_around(Path())
    if bundle and is_own_name(name) and not strangers_trusted():
        raise StudyError(
            f"got {name!r}, which would be imported in the bundle {bundle}; add --trust-code if you trust its author"
        )


def _acts(spec: StudySpec) -> Iterator[str]:
    """In words, what the study file would do."""
    losses = {str(table.get("loss", label)): f"losses.{label}" for label, table in spec.losses.items()}
    data, encoder, probe = (getattr(spec, name, None) for name in ("data", "encoder", "probe"))
    names = [name for name in losses if is_import_path(name)]
    names += [encoder.name] if encoder and is_import_path(encoder.name) else []
    names += [data.name] if data and is_own_name(data.name) else []
    if names:
        yield f"import {', '.join(map(repr, dict.fromkeys(names)))}"
    places = [each for each in (data and data.name, probe and probe.corruptions) if each]
    yield from (f"read {each!r}" for each in places if _is_outside(each))
    tracking = spec.tracking
    yield from (f"send results to mlflow {uri!r}" for uri in [tracking.mlflow] if uri)
    yield from (f"send results to wandb {project!r}" for project in [tracking.wandb] if project)


def _is_outside(name: str) -> bool:
    """Whether a name such as `folder:PATH` leads out of the data root."""
    path = PurePath(name.partition(":")[2])
    return path.is_absolute() or ".." in path.parts or path.parts[:1] == ("~",) or str(path).startswith("~")
