"""Trained encoders that a study keeps, so that another suite of probes needs no training."""

import dataclasses
from pathlib import Path

from trainables.encoders.model import ContrastiveModel
from trainables.store.artefacts import kept_path
from trainables.training.checkpoint import CheckpointError, load_weights, save_durably
from trainables.training.member import PretrainFacts


def keep_model(model: ContrastiveModel, facts: PretrainFacts, artefacts: Path, pretrain_id: str) -> None:
    """Write weights and facts, whole or not at all. Raises `OSError` when the disk refuses."""
    path = kept_path(artefacts, pretrain_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_durably({"model": model.state_dict(), "facts": dataclasses.asdict(facts)}, path)


def load_kept(model: ContrastiveModel, artefacts: Path, pretrain_id: str) -> PretrainFacts | None:
    """Fill `model` with what was kept, and return its facts; None when nothing was.

    Raises `CheckpointError` when the file is damaged.
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
