"""A study of the invented losses as rows: the planned trials and the result of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.demo.law import BATCH_SIZES, CHANCE, DATA, LOSSES, NULL_CONTROL, DemoData, DemoLoss
from analysis.demo.noise import Noise, draw_scores
from analysis.model.info import BATCH_SIZE, ArmInfo, AxisInfo, StudyInfo
from analysis.model.meaning import LOWER_TEMPERATURE, TEMPERATURE, Meaning
from analysis.model.metric import Metric

METRIC = "probe10_accuracy"
#: Largest effective rank of the invented representations, dimensions.
_DIMENSIONS = 32.0

_AXES = {
    "hp_temperature": AxisInfo(name="hp_temperature", label="temperature", default=0.3, meaning=TEMPERATURE),
    "hp_t": AxisInfo(
        name="hp_t",
        label="kernel scale t",
        default=2.0,
        meaning=Meaning(of="the kernel scale t of the invented loss", larger_acts_as=LOWER_TEMPERATURE),
    ),
}


@dataclass(frozen=True, kw_only=True)
class DemoStudy:
    """The arguments of `analysis.report.write.write_report`."""

    planned: pd.DataFrame
    records: pd.DataFrame
    info: StudyInfo


def demo_study(
    rng: np.random.Generator,
    *,
    seeds: int = 5,
    losses: Sequence[DemoLoss] = LOSSES,
    data: Sequence[DemoData] = DATA,
    noise: Noise | None = None,
) -> DemoStudy:
    """Every loss on every data set over its grid at `seeds` seeds. Raises `ValueError` for less than one seed."""
    if seeds < 1:
        raise ValueError(f"seeds: got {seeds}; at least one is needed")
    used = noise or Noise()
    parts = [_rows_of_set(rng, losses, item, seeds, used) for item in data]
    rows = pd.concat(parts, ignore_index=True)
    asked = [
        "trial_id",
        "config_id",
        "arm",
        "seed",
        *(name for name in rows.columns if name.startswith("hp_")),
    ]
    return DemoStudy(
        planned=rows[[*asked, "data"]],
        records=rows.drop(columns="arm"),
        info=demo_info(losses, data, seeds),
    )


def demo_info(losses: Sequence[DemoLoss], data: Sequence[DemoData], seeds: int) -> StudyInfo:
    """The description of the study that the report needs beside the rows."""
    labels = [loss.label for loss in losses]
    return StudyInfo(
        name="demo",
        imported=True,
        description="An invented study with known answers: accuracies are drawn from formulas, nothing was trained.",
        metric=Metric(name=METRIC, worst=CHANCE),
        arms=tuple(
            ArmInfo(
                label=loss.label,
                title=loss.title,
                loss=loss.label,
                axes=(BATCH_SIZE, _AXES[loss.main_axis]),
                base_lr=0.1,
                lr_source="invented",
            )
            for loss in losses
        ),
        seeds=tuple(range(seeds)),
        null_controls=(NULL_CONTROL,) if set(NULL_CONTROL) <= set(labels) else (),
        data=f"invented: {', '.join(item.name for item in data)}, 10 classes",
        encoder="none",
        training="none",
    )


def _rows_of_set(
    rng: np.random.Generator, losses: Sequence[DemoLoss], data: DemoData, seeds: int, noise: Noise
) -> pd.DataFrame:
    seed_luck = rng.standard_normal(seeds)
    frames: list[pd.DataFrame] = []
    drawn: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for loss in (item.on(data) for item in losses):
        partner = drawn.get(NULL_CONTROL[0]) if loss.label == NULL_CONTROL[1] else None
        means, failed = loss.cell_means(), loss.failed()
        if partner is None:
            scores = draw_scores(means, failed, noise, seed_luck, rng)
        else:
            scores = _nearly(partner, failed, noise, rng)
        drawn[loss.label] = scores
        frames.append(_rows(loss, data, *scores, rng))
    return pd.concat(frames, ignore_index=True)


def _nearly(
    scores: tuple[np.ndarray, np.ndarray], failed: np.ndarray, noise: Noise, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Test and validation scores of the same trials with different rounding, which half of them show."""
    test, validation = scores
    apart = (
        noise.rounding * rng.standard_normal(test.shape) * (rng.random(test.shape) < 0.5) * ~failed[:, None]
    )
    return test + apart, validation + apart


def _rows(
    loss: DemoLoss, data: DemoData, test: np.ndarray, validation: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """One row for each trial, the seed fastest."""
    seeds = test.shape[1]
    size, value = (np.repeat(axis, seeds) for axis in loss.grid())
    seed = np.tile(np.arange(seeds), len(test))
    config = [f"{data.name}-{loss.label}-{b}-{v:.4g}" for b, v in zip(size, value, strict=True)]
    ok = ~loss.diverged(value)
    test, validation = np.where(ok, test.ravel(), np.nan), np.where(ok, validation.ravel(), np.nan)
    rank = np.where(loss.collapsed(value), 1.0 + 0.2 * rng.random(len(value)), _DIMENSIONS * test)
    return pd.DataFrame(
        {
            "trial_id": [f"{name}-{s}" for name, s in zip(config, seed, strict=True)],
            "config_id": config,
            "arm": loss.label,
            "seed": seed,
            "data": data.name,
            "loss": loss.label,
            "hp_batch_size": size,
            loss.main_axis: value,
            "attempt": 0,
            "status": loss.status(value),
            f"val_{METRIC}": validation,
            f"test_{METRIC}": test,
            "z_effective_rank": np.where(ok, rank, np.nan),
            # a representation metric that follows accuracy: more uniform on the sphere where accuracy is high
            "z_uniformity": np.where(ok, -4.0 * test + 0.1 * rng.standard_normal(len(value)), np.nan),
            "seconds_total": 60.0 * size / max(BATCH_SIZES),
            "error_class": [None if good else "NonFiniteLoss" for good in ok],
            "error_message": [None if good else "loss is nan" for good in ok],
        }
    )
