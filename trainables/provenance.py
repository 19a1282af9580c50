"""What a trial depends on beyond its config: the data's content and the source of a user's own code."""

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from trainables.config import DataConfig, ProbeConfig, Provenance, TrialConfig
from trainables.datasets.datasets import describe_dataset
from trainables.datasets.loaded import DatasetInfo
from trainables.evaluation.corruptions.published import corruptions_fingerprint
from trainables.own_code import source_of


def provenance_of(config: TrialConfig, data_root: Path | None) -> Provenance:
    """Fingerprints for the ids of `config`. Raises `ValueError` when data or code cannot be found."""
    (provenance,) = provenances_of([config], data_root)
    return provenance


def provenances_of(configs: Sequence[TrialConfig], data_root: Path | None) -> list[Provenance]:
    """`provenance_of` each config, in their order. Data that several of them share are looked at once.

    A look walks all files of a data set: a quarter of a second for 22,000 images.
    """
    describe = functools.cache(lambda data: describe_dataset(data, data_root))
    corruptions = functools.cache(lambda probe, info: corruptions_fingerprint(probe, info, data_root))
    return [_provenance(config, describe, corruptions) for config in configs]


def _provenance(
    config: TrialConfig,
    describe: Callable[[DataConfig], DatasetInfo],
    corruptions: Callable[[ProbeConfig, DatasetInfo], str],
) -> Provenance:
    code, task = code_fingerprint(config), config.task
    if getattr(task, "data", None) is None:  # a task may need none
        return Provenance(code_fingerprint=code)
    info = describe(task.data)
    return Provenance(
        data_fingerprint=info.fingerprint,
        code_fingerprint=code,
        corruptions_fingerprint=corruptions(task.probe, info),
    )


def code_fingerprint(config: TrialConfig) -> str:
    """Source hash of the modules named by import paths (`package.module:Name`); "" where there are none.

    What those modules import from elsewhere is not part of it.
    """
    sources = [source_of(path) for path in _import_paths(config)]
    return hashlib.blake2b(b"\0".join(sources), digest_size=10).hexdigest() if sources else ""


def _import_paths(config: TrialConfig) -> Iterator[str]:
    encoder = getattr(config.task, "encoder", None)
    yield from (part.name for part in (config.loss, encoder) if part and ":" in part.name)
