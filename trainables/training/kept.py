"""Trained encoders on disk. `pretrain_trials` reuses them, so a new set of probes needs no new training."""

import dataclasses
from pathlib import Path

from trainables.encoders.model import ContrastiveModel
from trainables.store.artefacts import kept_path
from trainables.training.checkpoint import CheckpointError, load_weights, save_durably
from trainables.training.member import PretrainFacts


def keep_model(model: ContrastiveModel, facts: PretrainFacts, artefacts: Path, pretrain_id: str) -> None:
    """Write weights and facts atomically. Raises `OSError` when the write fails."""
    path = kept_path(artefacts, pretrain_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_durably({"model": model.state_dict(), "facts": dataclasses.asdict(facts)}, path)


def load_kept(model: ContrastiveModel, artefacts: Path, pretrain_id: str) -> PretrainFacts | None:
    """Load the kept weights into `model` and return the facts of its training, or None when no file exists.

    Raises `CheckpointError` when the file is damaged or holds another network.
    """
    path = kept_path(artefacts, pretrain_id)
    if not path.exists():
        return None
    state = load_weights(path)
    try:
        model.load_state_dict(state["model"])
        return PretrainFacts(**state["facts"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"encoder {path.name}: it holds another network") from error
