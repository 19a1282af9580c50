"""What trials of a study cost on this machine: one model, built once a command from the records of the store.

`study plan` prices the missing trials with it, and has kinds of trials timed that no record tells of. A launch orders
its work by it, `gpus_per_trial = "auto"` takes peak memory from it, and progress estimates the time left with it.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from study.cost.span import Span, spans_of, total
from study.loaded import LoadedStudy
from study.spec.expand import stand_ins
from study.spec.tasks.protocol import StudyTask
from trainables.config import TrialConfig, canonical_json
from trainables.machine import processor_name
from trainables.work import Stack, WorkUnit

#: The fixed cost of a step, as pairs: a step of a small network costs as much as some 48 pairs, whatever its batch.
STEP_PAIRS = 48

#: The cost of a kind counts as it was seen for stacks of up to so many times, or so many parts of, its trials, and
#: between wide ends for stacks of up to so many more. Beyond, stacking changes the cost several times.
_LIKE, _SOMEWHAT_LIKE = 1.5, 3.0

#: Ends of what a step costs over what the nearest known kind says, as of another loss or batch size.
_BY_LIKE = (0.6, 1.5)

#: Keys of `[training]` that change no step's cost.
_FREE = frozenset({"lr", "epochs", "steps", "samples"})

_COLUMNS = (
    "status", "config", "stack_size", "steps_done", "seconds_pretrain", "seconds_total",
    "device", "device_name", "threads", "execution_mode",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Trials whose steps cost the same."""

    key: str  # all of the trial but seed, learning rate, budget and the numbers of its loss
    batch_size: int
    members: int  # trials that are trained as one

    @classmethod
    def of(cls, config: TrialConfig, members: int) -> "Kind":
        """The kind of a trial that is trained as one of `members`."""
        return cls.of_json(canonical_json(config), members)

    @classmethod
    def of_json(cls, config: str, members: int) -> "Kind":
        """As `of`, from the config as records hold it."""
        tree = json.loads(config)
        training = {key: value for key, value in tree["task"]["training"].items() if key not in _FREE}
        key = json.dumps([tree["loss"]["name"], tree["task"] | {"training": training}], sort_keys=True)
        return cls(key=key, batch_size=training["batch_size"], members=members)

    @property
    def step_pairs(self) -> int:
        """The work of a step of one trial, in pairs."""
        return self.batch_size + STEP_PAIRS


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


@dataclass(frozen=True, kw_only=True)
class CostModel:
    """Costs of a study's trials: seconds where any kind of its trials is known, relative work otherwise."""

    task: StudyTask
    known: Mapping[Kind, TrialCost] = field(default_factory=dict)  # from records, or timed
    peaks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # see `past_peaks`

    @property
    def seconds_per_unit(self) -> float | None:
        """Seconds of a worker for one unit of `unit_costs`; None where costs are relative."""
        return 1.0 if self.known else None

    def is_known(self, kind: Kind) -> bool:
        """Whether trials of this kind were seen, in a stack of about this size."""
        return self._seen(kind) is not None

    def stack_seconds(self, stack: Stack) -> Span | None:
        """Seconds of one worker for all trials of a stack; None where nothing is known of the study's trials."""
        cost = self._trial_cost(Kind.of(stack[0].config, len(stack)))
        return total(self._seconds(unit, cost) for unit in stack) if cost else None

    def unit_costs(self, stacks: Iterable[Stack]) -> dict[str, float]:
        """The expected cost of every trial in these stacks, by its id."""
        costs: dict[str, float] = {}
        for stack in stacks:
            cost = self._trial_cost(Kind.of(stack[0].config, len(stack))) if self.known else None
            for unit in stack:
                work = self._seconds(unit, cost).mid if cost else self.relative_work(unit.config)
                costs[unit.trial_id] = work
        return costs

    def relative_work(self, config: TrialConfig) -> float:
        """The work of a trial in pairs: those that it sees, and the fixed cost of its steps."""
        return self.task.steps(config.task) * (config.task.training.batch_size + STEP_PAIRS)

    def with_known(self, known: Mapping[Kind, TrialCost]) -> "CostModel":
        """The same model that knows further kinds, such as those that were timed."""
        return replace(self, known={**self.known, **known})

    def without_times(self) -> "CostModel":
        """The same model with relative costs alone, which are the same whenever and wherever the study runs."""
        return replace(self, known={})

    def _seconds(self, unit: WorkUnit, cost: TrialCost) -> Span:
        """A trial whose encoder was kept is only evaluated."""
        return cost.rest + cost.step.times(0 if unit.kept else self.task.steps(unit.config.task))

    def _trial_cost(self, kind: Kind) -> TrialCost | None:
        """By the same kind in the most alike stack, or by the kind whose batch and stack are nearest."""
        if seen := self._seen(kind):
            return self.known[seen].in_stack(seen.members, kind.members)
        if not self.known:
            return None
        like = min(
            self.known,
            key=lambda other: (
                abs(other.batch_size - kind.batch_size),
                abs(other.members - kind.members),
            ),
        )
        cost = self.known[like]
        step = cost.step.times(kind.step_pairs / like.step_pairs).widened(*_BY_LIKE)
        return replace(cost, step=step).in_stack(like.members, kind.members)

    def _seen(self, kind: Kind) -> Kind | None:
        ratios = {other: _ratio(other.members, kind.members) for other in self.known if other.key == kind.key}
        nearest = min(ratios, key=ratios.__getitem__, default=None)
        return nearest if nearest and ratios[nearest] <= _SOMEWHAT_LIKE else None


def study_costs(loaded: LoadedStudy) -> CostModel:
    """The model of a study, from the records that were read when it was loaded."""
    plan, runtime = loaded.plan, loaded.context.runtime
    name = processor_name()
    if runtime.device != "cpu":
        import torch  # seconds of start-up, paid only by studies that ask for a GPU

        name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    conditions = Conditions(
        device=runtime.device, device_name=name, threads=runtime.threads, execution=runtime.execution
    )
    trials = [*plan.trials, *stand_ins(plan.spec, plan.trial_set)]
    records = loaded.records.table
    return CostModel(
        task=plan.trial_set.task,
        known=past_costs(records, _keys_of([trial.config for trial in trials]), conditions),
        peaks={} if runtime.device == "cpu" else past_peaks(records, runtime.execution),
    )


def past_costs(records: pa.Table, keys: frozenset[str], conditions: Conditions) -> dict[Kind, TrialCost]:
    """The costs of kinds with these keys, from trials that finished under these conditions."""
    steps: dict[Kind, list[float]] = defaultdict(list)
    rests: dict[Kind, list[float]] = defaultdict(list)
    for row in records.select(_COLUMNS).to_pylist():
        if not _tells(row, conditions):
            continue
        kind = Kind.of_json(row["config"], row["stack_size"])
        if kind.key in keys:
            pretrain = row["seconds_pretrain"] or 0.0
            steps[kind].append(pretrain / (row["steps_done"] or 1))
            rests[kind].append(row["seconds_total"] - pretrain)
    step_spans, rest_spans = spans_of(steps), spans_of(rests)
    return {kind: TrialCost(step=step_spans[kind], rest=rest_spans[kind]) for kind in steps}


def _keys_of(configs: Sequence[TrialConfig]) -> frozenset[str]:
    """Trials share their tasks, and each key takes some 50 µs."""
    found = {(config.loss.name, id(config.task)): config for config in configs}
    return frozenset(Kind.of(config, 1).key for config in found.values())


def _tells(row: Mapping[str, Any], conditions: Conditions) -> bool:
    """Whether a record is of a trial that finished under these conditions and, where trials train, trained."""
    return bool(
        row["status"] == "ok"
        and row["seconds_total"] is not None
        and (_trained(row) or (row["steps_done"] is None and row["seconds_pretrain"] is None))
        and (row["device"], row["device_name"], row["threads"])
        == (conditions.device, conditions.device_name, conditions.threads)
        and _ran_as(row, conditions.execution)
    )


def _trained(row: Mapping[str, Any]) -> bool:
    """Whether the whole training was in the trial's own time; that of a kept encoder was not."""
    return bool(
        row["steps_done"] and row["seconds_pretrain"] and row["seconds_total"] >= row["seconds_pretrain"]
    )


def _ran_as(row: Mapping[str, Any], execution: str) -> bool:
    return str(row["execution_mode"]).endswith(f":{execution}")


def _ratio(seen: int, wanted: int) -> float:
    return max(seen / wanted, wanted / seen)


def memory_key(config: TrialConfig) -> str:
    """Equal for trials of one network, data, batch size and precision: those take the same memory."""
    return _memory_key(canonical_json(config))


def _memory_key(config: str) -> str:
    task = json.loads(config)["task"]
    training = {name: task["training"].get(name) for name in ("batch_size", "precision")}
    return json.dumps(
        {name: value for name, value in task.items() if name != "views"} | {"training": training}
    )


def past_peaks(records: pa.Table, execution: str) -> dict[str, dict[str, int]]:
    """The highest peak memory of finished trials in bytes, by the GPU's name and then by `memory_key`."""
    peaks: dict[str, dict[str, int]] = defaultdict(dict)
    for row in records.select((*_COLUMNS, "peak_memory_bytes")).to_pylist():
        finished = row["status"] == "ok" and row["steps_done"] and row["peak_memory_bytes"]
        if finished and row["device"] == "cuda" and _ran_as(row, execution):
            key, device = _memory_key(row["config"]), peaks[row["device_name"]]
            device[key] = max(device.get(key, 0), row["peak_memory_bytes"])
    return dict(peaks)
