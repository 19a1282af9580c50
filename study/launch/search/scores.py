"""The score of a configuration, for its search: its mean validation metric over the study's seeds."""

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

import pandas as pd

from analysis.statistics.scores.robustness import COLLAPSE_RANK
from search_spaces.optuna_adapter import Outcome, Pruned
from search_spaces.space import Point
from study.plan import Plan
from trainables.store.schema import Status

#: Collapse is measured on the encoder's output, which the probes use. An encoder can classify well although its
#: embeddings have a rank near 1. If these trials counted as collapsed, the sampler would not see their accuracy.
_RANK = "h_effective_rank"


def outcomes(plan: Plan, label: str) -> Callable[[Point], Outcome]:
    """A function that returns the outcome of each configuration of the arm `label`, from the records of `plan`."""
    columns = ["trial_id", "status", f"val_{plan.spec.metric}", _RANK, "rung", "rung_score"]
    rows = {row["trial_id"]: row for row in plan.records.table.select(columns).to_pylist()}
    points = next(arm.points for arm in plan.trial_set.arms if arm.label == label)
    ids: dict[tuple[Any, ...], list[str]] = {}
    for trial in plan.trials:
        if trial.arm == label:
            ids.setdefault(_key(points[trial.point]), []).append(trial.keys.trial_id)
    floor = plan.trial_set.task.metric(pd.DataFrame()).worst  # the metric of random guessing

    def outcome(point: Point) -> Outcome:
        found = [rows.get(trial_id) for trial_id in ids.get(_key(point), [])]
        return configuration_score(found, f"val_{plan.spec.metric}", floor)

    return outcome


def configuration_score(rows: Sequence[Mapping[str, Any] | None], metric: str, floor: float) -> Outcome:
    """The mean of `metric` over seeds. A seed that failed or collapsed counts as `floor`.

    `Pruned` if a seed was stopped early; None if a seed has no record. Failures have a score, since samplers learn
    nothing from failed trials, and would propose configurations that diverge again.
    """
    known = [row for row in rows if row is not None]
    if not known or len(known) < len(rows):
        return None
    if stopped := [row for row in known if row["status"] == Status.PRUNED]:
        return _pruned(stopped)
    return sum(_trial_score(row, metric, floor) for row in known) / len(known)


def _pruned(rows: Sequence[Mapping[str, Any]]) -> Pruned:
    """The highest rung at which a seed was stopped, and the mean score of the seeds that were stopped there.

    Seeds that were stopped before their first step, because another seed was stopped, have no rung.
    """
    rung = max((row["rung"] for row in rows if row["rung"] is not None), default=None)
    if rung is None:
        return Pruned()
    return Pruned(rung=rung, score=fmean(row["rung_score"] for row in rows if row["rung"] == rung))


def _trial_score(row: Mapping[str, Any], metric: str, floor: float) -> float:
    collapsed = row[_RANK] is not None and row[_RANK] < COLLAPSE_RANK
    value = row[metric]
    if row["status"] != Status.OK or collapsed or value is None or value != value:
        return floor
    return float(value)


def _key(point: Point) -> tuple[Any, ...]:
    return tuple(point.items())
