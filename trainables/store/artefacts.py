"""The paths of the files that trials write besides their records: kept encoders, checkpoints, learning curves.

No result depends on these files. The module imports no torch, since plans check which files exist. Ids may come from
the records of other people, so each function checks its id again: only hexadecimal digits become part of a path.
"""

import re
from pathlib import Path

from trainables.store.files import ID_PATTERN, ID_WORDS


def kept_path(artefacts: Path, pretrain_id: str) -> Path:
    """The kept encoder and head of a pre-training, for use with other probes."""
    return artefacts / "encoders" / f"{_checked(pretrain_id)}.pt"


def checkpoint_folder(artefacts: Path) -> Path:
    """The folder with the checkpoints of unfinished trials."""
    return artefacts / "checkpoints"


def curve_path(artefacts: Path, pretrain_id: str) -> Path:
    """The learning curve of a pre-training."""
    return artefacts / "curves" / f"{_checked(pretrain_id)}.parquet"


def embeddings_path(artefacts: Path, pretrain_id: str) -> Path:
    """The final point configuration of a sphere trial."""
    return artefacts / "embeddings" / f"{_checked(pretrain_id)}.parquet"


def losses_path(artefacts: Path, trial_id: str, attempt: int) -> Path:
    """The training losses of an attempt. The file exists until the losses have been sent to trackers."""
    return artefacts / "losses" / f"{_checked(trial_id)}.{attempt:d}.json"


def _checked(id_: str) -> str:
    if not re.fullmatch(ID_PATTERN, id_):
        raise ValueError(f"id: got {id_!r}, must be {ID_WORDS}")
    return id_
