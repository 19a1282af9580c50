"""Fingerprints of what a trial depends on besides its config: the content of the data and the user's own code."""

import functools
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from trainables.config import DataConfig, ProbeConfig, Provenance, TrialConfig
from trainables.datasets.datasets import describe_dataset
from trainables.datasets.loaded import DatasetInfo
from trainables.evaluation.corruptions.published import corruptions_fingerprint
from trainables.own_files import is_import_path, own_code_of


def provenance_of(config: TrialConfig, data_root: Path | None) -> Provenance:
    """The fingerprints for the ids of `config`. Raises `ValueError` if data or code cannot be found."""
    (provenance,) = provenances_of([config], data_root)
    return provenance


def provenances_of(configs: Sequence[TrialConfig], data_root: Path | None) -> list[Provenance]:
    """`provenance_of` each config, in their order. Data and code that several configs share are read only once.

    A fingerprint lists all files of a data set, which takes a quarter of a second for 22,000 images.
    """
    describe = functools.cache(lambda data: describe_dataset(data, data_root))
    corruptions = functools.cache(lambda probe, info: corruptions_fingerprint(probe, info, data_root))
    code_of = functools.cache(paths_fingerprint)
    return [_provenance(config, code_of, describe, corruptions) for config in configs]


def _provenance(
    config: TrialConfig,
    code_of: Callable[[tuple[str, ...]], str],
    describe: Callable[[DataConfig], DatasetInfo],
    corruptions: Callable[[ProbeConfig, DatasetInfo], str],
) -> Provenance:
    code, task = code_of(import_paths(config)), config.task
    if getattr(task, "data", None) is None:  # a task may need no data
        return Provenance(code_fingerprint=code)
    info = describe(task.data)
    return Provenance(
        data_fingerprint=info.fingerprint,
        code_fingerprint=code,
        corruptions_fingerprint=corruptions(task.probe, info),
    )


def code_fingerprint(config: TrialConfig) -> str:
    """A hash of the user's own code behind the import paths (`package.module:Name`) of `config`; "" without any.

    It covers the modules at the import paths and all own modules that these import. Raises `ValueError`.
    """
    return paths_fingerprint(import_paths(config))


def paths_fingerprint(paths: tuple[str, ...]) -> str:
    """`code_fingerprint` of a config with these import paths."""
    sources = [own_code_of(path).source for path in paths]
    return hashlib.blake2b(b"\0".join(sources), digest_size=10).hexdigest() if sources else ""


def import_paths(config: TrialConfig) -> tuple[str, ...]:
    """The import paths of the user's own loss and encoder in a config."""
    encoder = getattr(config.task, "encoder", None)
    return tuple(part.name for part in (config.loss, encoder) if part and is_import_path(part.name))
