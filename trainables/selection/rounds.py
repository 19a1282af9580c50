"""The number of batches that a round of selection draws, keeps and embeds. Imports no torch, since planning uses it.

A round draws `pool` candidate batches at random and trains on `keep` of them. Methods that use embeddings need
forward passes of `pool` batches for the choice. The other methods do not choose and have no such cost.
"""

import math
from dataclasses import dataclass
from decimal import Decimal

from trainables.config import SelectionConfig, SphereTraining, TrainingConfig
from trainables.selection.kinds import LOOKING_METHODS, METHODS

#: Largest number of batches that `all_subsets` lists, and from which `osgd` draws without replacement.
MOST_SUBSETS = 100_000

#: Defaults for batch size 32 from Cho et al. 2024 (TMLR, arXiv 2307.05906), if the data set has so many batches.
_OSGD_POOL, _OSGD_POOL_TO_KEEP, _SPECTRAL_POOL = 1500, 10, 40


@dataclass(frozen=True, kw_only=True)
class Round:
    """`pool` (k) batches are drawn, `keep` (q) of them are trained; embeddings serve `refresh` trained batches."""

    pool: int
    keep: int
    refresh: int
    looks: bool  # whether candidates are embedded

    @property
    def embedded(self) -> int:
        """Number of batches embedded between two refreshes."""
        return self.refresh // self.keep * self.pool if self.looks else 0


def resolve_round(config: SelectionConfig, n: int, batch_size: int) -> Round:
    """The numbers of a selection from `n` pairs in batches of `batch_size`, with defaults filled in.

    Raises `ValueError` for an unknown method, numbers that the method does not accept, B > N, k < q, a pool with more
    batches than the pairs have, and more than `MOST_SUBSETS` batches for `all_subsets`.
    """
    if config.method not in METHODS:
        raise ValueError(f"selection.method: got {config.method!r}; allowed are {', '.join(METHODS)}")
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size: got {batch_size}, must be from 1 to {n}, the number of pairs")
    if config.method not in LOOKING_METHODS:
        return _blind(config, n, batch_size)
    pool, keep = (_osgd if config.method == "osgd" else _spectral)(config, n, batch_size)
    refresh = keep if config.refresh is None else config.refresh
    if refresh < keep or refresh % keep:
        raise ValueError(
            f"selection.{config.method}_refresh: got {refresh}, must be a multiple of the {keep} batches of a round"
        )
    return Round(pool=pool, keep=keep, refresh=refresh, looks=True)


def step_count(training: TrainingConfig | SphereTraining, selection: SelectionConfig, images: int) -> int:
    """Optimiser steps of the whole budget. A budget in `samples` includes images embedded for the selection.

    So a budget in `steps` or `epochs` compares methods at equal numbers of gradient steps, and a budget in `samples`
    compares them at equal numbers of images seen. Raises the errors of `resolve_round`.
    """
    steps = training.step_count(images)
    if training.samples is None or selection.method not in LOOKING_METHODS:
        return steps
    numbers = resolve_round(selection, images, training.batch_size)
    batches = training.samples // training.batch_size
    rounds, left = divmod(batches, numbers.embedded + numbers.refresh)
    return rounds * numbers.refresh + max(0, left - numbers.embedded)


def check_image_selection(config: SelectionConfig, images: int, batch_size: int) -> None:
    """Raise the errors of `resolve_round`, and `ValueError` for `full` with a batch size other than `images`."""
    resolve_round(config, images, batch_size)
    if config.method == "full" and batch_size != images:
        raise ValueError(
            f"batch_size: got {batch_size}, must be {images}, all training images, for selection full"
        )


def relative_step_cost(config: SelectionConfig, n: int, batch_size: int) -> float:
    """The work of a step relative to a step without selection. A pass without gradient counts as a third."""
    numbers = resolve_round(config, n, batch_size)
    return 1 + numbers.embedded / numbers.refresh / 3


def _blind(config: SelectionConfig, n: int, batch_size: int) -> Round:
    """The round of a method that does not use embeddings: one pass over its batches."""
    for name in ("pool", "keep", "refresh"):
        if (given := getattr(config, name)) is not None:
            raise ValueError(f"selection.{name}: got {given}; {config.method} takes none")
    batches = 1 if config.method == "full" else n // batch_size
    if config.method == "all_subsets":
        batches = math.comb(n, batch_size)
        if batches > MOST_SUBSETS:
            raise ValueError(
                f"selection.method: got all_subsets, but {n} pairs have {_words(batches)} batches of {batch_size}; "
                f"at most {MOST_SUBSETS} are allowed"
            )
    return Round(pool=batches, keep=batches, refresh=batches, looks=False)


def _osgd(config: SelectionConfig, n: int, batch_size: int) -> tuple[int, int]:
    pool = min(_OSGD_POOL, n // batch_size) if config.pool is None else config.pool
    if pool < 1 or (pool > n // batch_size and pool > math.comb(n, batch_size)):
        raise ValueError(
            f"selection.osgd_pool: got {pool}, must be from 1 to {_words(math.comb(n, batch_size))}, the batches of "
            f"{batch_size} that {n} pairs have"
        )
    keep = max(1, pool // _OSGD_POOL_TO_KEEP) if config.keep is None else config.keep
    if not 1 <= keep <= pool:
        raise ValueError(
            f"selection.osgd_keep: got {keep} of a pool of {pool}, must be from 1 to {pool}: q <= k"
        )
    return pool, keep


def _spectral(config: SelectionConfig, n: int, batch_size: int) -> tuple[int, int]:
    most = n // batch_size
    pool = min(_SPECTRAL_POOL, most) if config.pool is None else config.pool
    if not 1 <= pool <= most:
        raise ValueError(
            f"selection.spectral_pool: got {pool}, must be from 1 to {most}, the batches of {batch_size} in {n} pairs"
        )
    if config.keep not in (None, pool):
        raise ValueError(
            f"selection.spectral_keep: got {config.keep} of a pool of {pool}; spectral trains on all, q = k"
        )
    return pool, pool


def _words(count: int) -> str:
    return str(count) if count < 10**12 else f"{Decimal(count):.3e}"
