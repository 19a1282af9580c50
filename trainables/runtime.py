"""Operational choices of a run, none of which is part of a trial's identity, and how a trial says it diverged."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Where a trial runs. Workers and `study trial` use the same threads, so that their records agree."""

    device: str = "cpu"
    threads: int = 1
    data_root: Path | None = None


class Diverged(ArithmeticError):
    """Training left the finite numbers: a result, not a fault."""
