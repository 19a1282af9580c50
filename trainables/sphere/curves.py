"""Gap-to-optimum curves of sphere trials on a log scale of steps, and their final embeddings, for the report."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from torch import Tensor

from trainables.atomic import replacing
from trainables.config import TrialConfig
from trainables.losses import build_loss
from trainables.sphere.budget import pairs_a_step
from trainables.sphere.optimum import full_loss, optimum_loss
from trainables.store.artefacts import embeddings_path

#: One row for each embedding. `view` is 0 for u and 1 for v.
EMBEDDINGS_SCHEMA = pa.schema(
    [
        pa.field("pretrain_id", pa.string()),
        pa.field("view", pa.int64()),
        pa.field("pair", pa.int64()),
        pa.field("z", pa.list_(pa.float64())),
    ]
)


def due_steps(total: int, points_a_decade: int) -> frozenset[int]:
    """The steps with a point: the first, the last, and steps at equal logarithmic distances between them."""
    steps = (round(10 ** (index / points_a_decade)) for index in itertools.count())
    return frozenset({*itertools.takewhile(lambda step: step < total, steps), total})


@dataclass(frozen=True, kw_only=True)
class GapCurves:
    """Collects the full-batch loss of every trial of a stack after the steps in `due`. The points are in `rows`."""

    configs: Sequence[TrialConfig]
    due: frozenset[int]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, step: int, z: Tensor, finite: Tensor, looked_at: int) -> None:
        """Add a point of every trial whose losses are finite, from unit-norm `z (K, 2, N, d)`.

        `looked_at` is the number of pairs that each trial has embedded so far to choose its batches.
        """
        for member, config in enumerate(self.configs):
            if finite[member]:
                point = {"member": member, "step": step, "samples_selection": looked_at}
                seen = step * pairs_a_step(config.task)
                self.rows.append({**point, "samples_seen": seen, **_measured(config, z[member])})


def _measured(config: TrialConfig, z: Tensor) -> dict[str, float | None]:
    value = full_loss(build_loss(config.loss.name, **config.loss.params), *z)
    least = optimum_loss(config.loss, config.task.n_pairs, config.task.dim)
    return {"train_loss_full": value, "optimum_gap": None if least is None else value - least}


def write_embeddings(z: Tensor, pretrain_ids: Sequence[str], artefacts: Path) -> None:
    """Write `z (K, 2, N, d)` to one file per trial, `embeddings/<pretrain_id>.parquet`. Raises `OSError`."""
    for pretrain_id, own in zip(pretrain_ids, z, strict=True):
        rows = pa.Table.from_pylist(list(_embedding_rows(pretrain_id, own)), schema=EMBEDDINGS_SCHEMA)
        with replacing(embeddings_path(artefacts, pretrain_id), durable=False) as temporary:
            pq.write_table(rows, temporary)


def _embedding_rows(pretrain_id: str, z: Tensor) -> Iterator[dict[str, Any]]:
    for view, points in enumerate(z.tolist()):
        for pair, point in enumerate(points):
            yield {"pretrain_id": pretrain_id, "view": view, "pair": pair, "z": point}
