"""Checkpoints of a running pre-training, used by `pretrain`.

A checkpoint is one file. It is replaced atomically, and loading it executes no code from the file.
"""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch

from trainables.atomic import replacing


class CheckpointError(ValueError):
    """A checkpoint from which training cannot continue: it is damaged or belongs to other trials."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The checkpoint file of the trials `pretrain_ids`, which are trained as one stack in this order."""

    folder: Path
    pretrain_ids: tuple[str, ...]
    every_seconds: float

    @property
    def path(self) -> Path:
        """The checkpoint file: named by the id of a single trial, or by a hash of all ids of a stack."""
        joined = "-".join(self.pretrain_ids)
        name = joined if len(self.pretrain_ids) == 1 else blake2b(joined.encode(), digest_size=10).hexdigest()
        return self.folder / f"{name}.pt"

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file atomically. Raises `OSError` when the write fails."""
        save_durably(state | {"pretrain_ids": list(self.pretrain_ids)}, self.path)

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last, or None when there is none. Raises `CheckpointError`."""
        if not self.path.exists():
            return None
        state = load_weights(self.path)
        if state.get("pretrain_ids") != list(self.pretrain_ids):
            raise CheckpointError(f"checkpoint {self.path.name}: it belongs to other trials")
        return state

    def drop(self) -> None:
        """Delete the file if it exists."""
        self.path.unlink(missing_ok=True)


def save_durably(state: dict[str, Any], path: Path) -> None:
    """Write tensors and plain values to `path` atomically. Raises `OSError` when the write fails."""
    with replacing(path) as temporary, temporary.open("xb") as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:
            # At its end, torch writes what is left of the file. This fails again, with an error that hides the first.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def load_weights(path: Path) -> dict[str, Any]:
    """Load on the CPU what `save_durably` wrote. Raises `CheckpointError` for any other content."""
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # what torch raises for hostile content has no common class
        raise CheckpointError(f"checkpoint {path.name}: it is damaged or cut short") from error
    if not isinstance(state, dict):
        raise CheckpointError(f"checkpoint {path.name}: it holds no training state")
    return state
