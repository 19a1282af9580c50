"""Studies with known answers: analytic accuracy surfaces with seed noise and failures, as rows."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from analysis.model.cells import Axis, Cells
from analysis.model.info import BATCH_SIZE, ArmInfo, AxisInfo, StudyInfo
from analysis.model.metric import Metric

BATCH_SIZES = (16, 64, 256)
TEMPERATURES = tuple(np.geomspace(0.05, 2.0, 5))
KERNEL_SCALES = tuple(np.geomspace(0.25, 16.0, 5))

Accuracy = Callable[[np.ndarray, np.ndarray], np.ndarray]


def hill(*, peak: float, at: float, width: float, slope: float = 0.0) -> Accuracy:
    """`peak - (ln(y / at) / width)^2 - slope |ln(x / 64)|`: best at `at` and batch size 64."""
    return lambda x, y: peak - (np.log(y / at) / width) ** 2 - slope * np.abs(np.log(x / 64))


def arm_info(label: str, *, kernel: bool = False, **changes: object) -> ArmInfo:
    """An arm over temperature, or over the kernel scale."""
    main = AxisInfo(name="hp_temperature", label="temperature", default=0.5)
    if kernel:
        main = AxisInfo(name="hp_t", label="kernel scale t", default=2.0)
    values = {
        "label": label,
        "loss": label,
        "base_lr": 0.1,
        "lr_source": "learning-rate sweep",
        "axes": (BATCH_SIZE, main),
    }
    return ArmInfo(**{**values, **changes})


def study_info(arms: Sequence[ArmInfo], *, seeds: Sequence[int] = (0, 1), **changes: object) -> StudyInfo:
    """A study of these arms on ten classes."""
    metric = Metric(name="probe10_accuracy", worst=0.1)
    values = {"name": "synthetic", "metric": metric, "arms": tuple(arms), "seeds": tuple(seeds)}
    return StudyInfo(**{**values, **changes})


def cells(arm: str, test: np.ndarray, validation: np.ndarray) -> Cells:
    """An arm of these scores `(X, Y, S)` at batch sizes and temperatures; a trial without a score is missing."""
    places = (np.array(BATCH_SIZES, dtype=float), np.array(TEMPERATURES))
    infos = arm_info(arm).axes
    axes = tuple(
        Axis(info=info, values=values[:size])
        for info, values, size in zip(infos, places, test.shape[:2], strict=True)
    )
    codes = np.stack([index.ravel() for index in np.indices(test.shape[:2])], axis=1)
    rows = test.reshape(len(codes), -1)
    metric = Metric(name="probe10_accuracy", worst=0.1)
    return Cells(
        arm=arm,
        metric=metric,
        axes=axes,
        codes=codes,
        seeds=np.arange(test.shape[-1]),
        status=np.where(np.isfinite(rows), "ok", "missing").astype(object),
        raw={
            metric.reporting_column: rows,
            metric.selecting_column: validation.reshape(len(codes), -1),
        },
        weights=np.full(len(codes), 1 / len(codes)),
    )


def plan(
    arms: Sequence[ArmInfo],
    *,
    seeds: Sequence[int] = (0, 1),
    batch_sizes: Sequence[int] = BATCH_SIZES,
    values: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Every trial of the grid: arm x batch size x main axis x seed."""
    rows = []
    for arm in arms:
        axis = values or (KERNEL_SCALES if arm.main_axis == "hp_t" else TEMPERATURES)
        for x in batch_sizes:
            for place, y in enumerate(axis):
                config = f"{arm.label}-{x}-{place}"
                for seed in seeds:
                    row = {
                        "trial_id": f"{config}-{seed}",
                        "config_id": config,
                        "arm": arm.label,
                        "seed": seed,
                    }
                    rows.append({**row, "hp_batch_size": x, arm.main_axis: y, "hp_epochs": 12})
    return pd.DataFrame(rows)


def run(
    planned: pd.DataFrame,
    surfaces: dict[str, Accuracy],
    *,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
    optimism: float = 0.01,
) -> pd.DataFrame:
    """Records of every planned trial: the arm's surface plus noise; validation lies `optimism` higher."""
    records = planned.drop(columns=["arm"]).copy()
    draws = rng.normal(size=len(planned)) if rng is not None else np.zeros(len(planned))
    values = np.empty(len(planned))
    for arm, accuracy in surfaces.items():
        mask = (planned["arm"] == arm).to_numpy()
        values[mask] = accuracy(planned.loc[mask, "hp_batch_size"], _main_axis(planned[mask]))
    test = np.clip(values + noise * draws, 0.0, 1.0)
    return records.assign(
        status="ok",
        attempt=0,
        test_probe10_accuracy=test,
        val_probe10_accuracy=np.clip(test + optimism, 0.0, 1.0),
        z_effective_rank=1.0 + 20.0 * test,
        seconds_total=1.0,
        device="cpu",
        error_class=None,
        error_message=None,
    )


def fail(records: pd.DataFrame, trial_ids: Sequence[str], *, status: str = "diverged") -> pd.DataFrame:
    """The same records with these trials failed."""
    changed = records.copy()
    mask = changed["trial_id"].isin(trial_ids)
    assert mask.sum() == len(trial_ids)
    changed.loc[mask, "status"] = status
    changed.loc[mask, ["test_probe10_accuracy", "val_probe10_accuracy", "z_effective_rank"]] = np.nan
    changed["error_class"] = changed["error_class"].astype(object)
    changed["error_message"] = changed["error_message"].astype(object)
    changed.loc[mask, "error_class"] = "NonFiniteLoss"
    changed.loc[mask, "error_message"] = "loss is nan at step 3, see /home/someone/runs/log.txt"
    return changed


def _main_axis(rows: pd.DataFrame) -> pd.Series:
    columns = [name for name in ("hp_temperature", "hp_t") if name in rows.columns]
    return rows[columns].bfill(axis=1).iloc[:, 0]
