"""Learning curves of a trial: loss, learning rate and monitored metrics every few epochs. `pretrain` records them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from torch import Tensor

from trainables.atomic import replacing
from trainables.config import SelectionConfig, TrainingConfig
from trainables.selection.rounds import step_count
from trainables.store.artefacts import curve_path
from trainables.training.member import Member, Monitor
from trainables.training.schedule import peak_learning_rate, scheduled_factor


def _column(name: str, type_: pa.DataType, unit: str) -> pa.Field:
    return pa.field(name, type_, metadata={"unit": unit} if unit else None)


#: Columns of a learning curve, with their units.
CURVE_SCHEMA = pa.schema(
    [
        _column("pretrain_id", pa.string(), ""),
        _column("step", pa.int64(), "steps"),
        _column("epoch", pa.float64(), "epochs"),
        _column("samples_seen", pa.int64(), "images"),
        _column("train_loss", pa.float64(), "nats"),  # mean over the steps since the previous point
        _column("lr", pa.float64(), "1"),
        _column("val_knn_accuracy", pa.float64(), "1"),
        _column("z_effective_rank", pa.float64(), "dimensions"),
        _column("h_effective_rank", pa.float64(), "dimensions"),
        _column("samples_selection", pa.int64(), "images"),  # embedded so far to select batches
        # The next two columns have values in sphere trials only; sphere trials have no epochs.
        _column("train_loss_full", pa.float64(), "nats"),
        _column("optimum_gap", pa.float64(), "nats"),
        # Mutual information of two views of a validation image, for losses that estimate it.
        _column("val_information", pa.float64(), "nats"),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Collects points of all members in `rows`: every `every_epochs` epochs and after the last step."""

    every_epochs: int
    images: int  # number of images in the training split
    config: TrainingConfig  # of any member: members differ only in the learning rate
    monitor: Monitor
    selection: SelectionConfig = field(default_factory=SelectionConfig)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def is_due(self, step: int) -> bool:
        """Whether a point is due after `step` steps."""
        return step % self._interval == 0 or step == self._total

    def add(self, members: Sequence[Member], step: int, losses: Tensor) -> None:
        """Add one point for every member. `losses` are `(K, step)`; members that diverged get no point."""
        since = (step - 1) // self._interval * self._interval
        means, finite = losses[:, since:].double().mean(1).tolist(), losses.isfinite().all(1).tolist()
        for index, member in enumerate(members):
            if finite[index]:
                self.rows.append(
                    {
                        "member": index,
                        "step": step,
                        "epoch": step * member.config.batch_size / self.images,
                        "samples_seen": step * member.config.batch_size,
                        "train_loss": means[index],
                        "lr": self._learning_rate(member.config, step),
                        **self.monitor(member.model, member.loss),
                    }
                )

    @property
    def _total(self) -> int:
        """Number of steps of the whole training."""
        return step_count(self.config, self.selection, self.images)

    @property
    def _interval(self) -> int:
        """Number of steps from one point to the next."""
        return max(1, self.every_epochs * self.config.epoch_steps(self.images))

    def _learning_rate(self, config: TrainingConfig, step: int) -> float:
        factor = scheduled_factor(config, step - 1, self._total, self.images)
        return peak_learning_rate(config) * factor


def write_curves(rows: Sequence[dict[str, Any]], pretrain_ids: Sequence[str], artefacts: Path) -> None:
    """Write one file per trial, `curves/<pretrain_id>.parquet`, and replace it atomically. Raises `OSError`."""
    for index, pretrain_id in enumerate(pretrain_ids):
        path = curve_path(artefacts, pretrain_id)
        own = [{**row, "pretrain_id": pretrain_id} for row in rows if row["member"] == index]
        with replacing(path, durable=False) as temporary:
            pq.write_table(pa.Table.from_pylist(own, schema=CURVE_SCHEMA), temporary)
