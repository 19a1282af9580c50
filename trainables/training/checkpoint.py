"""Checkpoints of a running pre-training: one file, replaced whole, read without executing anything in it."""

import pickle
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch

from trainables.atomic import replacing


class CheckpointError(ValueError):
    """A checkpoint that cannot be gone on from: of other trials, or damaged."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where the trials `pretrain_ids`, trained as one in this order, keep how far they are."""

    folder: Path
    pretrain_ids: tuple[str, ...]
    every_seconds: float

    @property
    def path(self) -> Path:
        """One id names its file; a stack has a name made of all its ids."""
        joined = "-".join(self.pretrain_ids)
        name = joined if len(self.pretrain_ids) == 1 else blake2b(joined.encode(), digest_size=10).hexdigest()
        return self.folder / f"{name}.pt"

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file, whole or not at all. Raises `OSError` when the disk refuses."""
        save_durably(state | {"pretrain_ids": list(self.pretrain_ids)}, self.path)

    def load(self) -> dict[str, Any] | None:
        """The state last saved, None when there is none. Raises `CheckpointError`."""
        if not self.path.exists():
            return None
        state = load_weights(self.path)
        if state.get("pretrain_ids") != list(self.pretrain_ids):
            raise CheckpointError(f"checkpoint {self.path.name}: it belongs to other trials")
        return state

    def drop(self) -> None:
        """Forget it, when there is one."""
        self.path.unlink(missing_ok=True)


def save_durably(state: dict[str, Any], path: Path) -> None:
    """Write tensors and plain values to `path`, whole or not at all. Raises `OSError` when the disk refuses."""
    with replacing(path) as temporary, temporary.open("xb") as file:
        torch.save(state, file)


def load_weights(path: Path) -> dict[str, Any]:
    """What `save_durably` wrote, on the CPU. Raises `CheckpointError` for anything else."""
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"checkpoint {path.name}: it is damaged or cut short") from error
    if not isinstance(state, dict):
        raise CheckpointError(f"checkpoint {path.name}: it holds no training state")
    return state
