"""What a trial depends on beyond its config: the data's content and the source of a user's own code."""

import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from trainables.config import Provenance, TrialConfig
from trainables.datasets.catalogue import describe_dataset


def provenance_of(config: TrialConfig, data_root: Path | None) -> Provenance:
    """Fingerprints for the ids of `config`. Raises `ValueError` when data or code cannot be found."""
    data = getattr(config.task, "data", None)  # a task may need none
    return Provenance(
        data_fingerprint=describe_dataset(data, data_root).fingerprint if data else "",
        code_fingerprint=code_fingerprint(config),
    )


def code_fingerprint(config: TrialConfig) -> str:
    """Source hash of the modules named by import paths (`package.module:Name`); "" where there are none.

    What those modules import from elsewhere is not part of it.
    """
    sources = [_module_source(path) for path in _import_paths(config)]
    return hashlib.blake2b(b"\0".join(sources), digest_size=10).hexdigest() if sources else ""


def _import_paths(config: TrialConfig) -> Iterator[str]:
    encoder = getattr(config.task, "encoder", None)
    yield from (part.name for part in (config.loss, encoder) if part and ":" in part.name)


def _module_source(path: str) -> bytes:
    module = path.partition(":")[0]
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.has_location or spec.origin is None:
        raise ValueError(f"import path: got {path!r}, but there is no module {module!r} on the Python path")
    return Path(spec.origin).read_bytes()
