"""What trials cost on a machine like this one, as the records of a store tell."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from study.cost.span import Span, spans_of
from trainables.config import TrialConfig, canonical_json

#: What sets the cost of a trial's steps and of the rest of it, and how many trials are trained as one.
Kind = tuple[str, int]

#: Records count as they are for stacks of up to so many times, or so many parts of, the trials of theirs, and
#: between wide ends for stacks of up to so many more.
_LIKE, _SOMEWHAT_LIKE = 1.5, 3.0

_COLUMNS = (
    "status", "config", "stack_size", "steps_done", "seconds_pretrain", "seconds_total",
    "device", "device_name", "threads", "execution_mode",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TrialCost:
    """Seconds of one trial on one worker: each step, and all the rest, evaluation above all."""

    step: Span
    rest: Span

    def in_stack(self, seen: int, wanted: int) -> "TrialCost":
        """The cost in a stack of `wanted` trials, of one that was seen in a stack of `seen`.

        A larger stack is cheaper for each trial, at most down to its share of the same step: the ends of the span.
        """
        if _ratio(seen, wanted) <= _LIKE:
            return self
        ends = sorted((1.0, seen / wanted))
        mid = math.sqrt(ends[0] * ends[1])
        return replace(self, step=self.step.times(mid).widened(ends[0] / mid, ends[1] / mid))


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Where trials run and how; records of other conditions tell nothing about the time."""

    device: str
    device_name: str
    threads: int
    execution: str


def cost_key(config: TrialConfig) -> str:
    """Equal for trials whose steps cost the same: all but seed, learning rate, budget and numbers of the loss."""
    return _cost_key(canonical_json(config))


def _cost_key(config: str) -> str:
    tree = json.loads(config)
    training = {key: value for key, value in tree["task"]["training"].items() if key not in _FREE}
    return json.dumps([tree["loss"]["name"], tree["task"] | {"training": training}], sort_keys=True)


_FREE = frozenset({"lr", "epochs", "steps", "samples"})


def past_costs(records: pa.Table, kinds: Iterable[Kind], conditions: Conditions) -> dict[Kind, TrialCost]:
    """The costs of the kinds of trials that finished under these conditions; others are left out."""
    steps: dict[Kind, list[float]] = defaultdict(list)
    rests: dict[Kind, list[float]] = defaultdict(list)
    rows = [row for row in records.select(_COLUMNS).to_pylist() if _tells(row, conditions)]
    seen: dict[str, list[Kind]] = defaultdict(list)
    for row in rows:
        kind = (_cost_key(row["config"]), row["stack_size"])
        steps[kind].append(row["seconds_pretrain"] / row["steps_done"])
        rests[kind].append(max(0.0, row["seconds_total"] - row["seconds_pretrain"]))
        if kind not in seen[kind[0]]:
            seen[kind[0]].append(kind)
    costs = _costs(spans_of(steps), spans_of(rests))
    found = {kind: _nearest(kind[1], seen[kind[0]]) for kind in kinds}
    return {kind: costs[like].in_stack(like[1], kind[1]) for kind, like in found.items() if like is not None}


def _tells(row: Mapping[str, Any], conditions: Conditions) -> bool:
    """Whether a record is of a finished training under these conditions; of a kept encoder it is not."""
    return bool(
        row["status"] == "ok"
        and row["steps_done"]
        and row["seconds_pretrain"]
        and row["seconds_total"] is not None
        and row["seconds_total"] >= row["seconds_pretrain"]
        and (row["device"], row["device_name"], row["threads"])
        == (conditions.device, conditions.device_name, conditions.threads)
        and str(row["execution_mode"]).endswith(f":{conditions.execution}")
    )


def _costs(steps: Mapping[Kind, Span], rests: Mapping[Kind, Span]) -> dict[Kind, TrialCost]:
    return {kind: TrialCost(step=steps[kind], rest=rests[kind]) for kind in steps}


def _nearest(size: int, seen: list[Kind]) -> Kind | None:
    """The kind with the most alike stack, where one is alike: stacking changes what a trial costs several times."""
    like = [kind for kind in seen if _ratio(kind[1], size) <= _SOMEWHAT_LIKE]
    return min(like, key=lambda kind: _ratio(kind[1], size), default=None)


def _ratio(seen: int, wanted: int) -> float:
    return max(seen / wanted, wanted / seen)
