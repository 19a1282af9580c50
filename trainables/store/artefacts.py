"""Where the files lie that trials leave beside their records: kept encoders, checkpoints, learning curves.

None of them is ever needed to know a result. Imports no torch: plans ask what is there.
"""

from pathlib import Path


def kept_path(artefacts: Path, pretrain_id: str) -> Path:
    """Encoder and head of a pre-training, for other suites of probes."""
    return artefacts / "encoders" / f"{pretrain_id}.pt"


def checkpoint_folder(artefacts: Path) -> Path:
    """How far running trials are."""
    return artefacts / "checkpoints"


def curve_path(artefacts: Path, pretrain_id: str) -> Path:
    """The learning curve of a pre-training."""
    return artefacts / "curves" / f"{pretrain_id}.parquet"


def embeddings_path(artefacts: Path, pretrain_id: str) -> Path:
    """The configuration that a sphere trial ended at."""
    return artefacts / "embeddings" / f"{pretrain_id}.parquet"


def losses_path(artefacts: Path, trial_id: str, attempt: int) -> Path:
    """The training losses of an attempt, until they have been handed to those who show them elsewhere."""
    return artefacts / "losses" / f"{trial_id}.{attempt}.json"
