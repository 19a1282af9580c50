"""The cost model: the expected cost of a study's trials on this machine, built from the records of the store.

Each command builds it once. `study plan` estimates the cost of missing trials with it, and times kinds of trials
without records. A launch orders its work by cost, and the progress display estimates the time left with it.
"""

import functools
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from study.cost.span import Span, spans_of, total
from study.loaded import LoadedStudy
from study.spec.expand import stand_ins
from study.spec.tasks.protocol import StudyTask
from trainables.config import BUDGETS, Task, TrialConfig, canonical
from trainables.machine import processor_name
from trainables.work import Stack, WorkUnit

#: The fixed cost of a step, in pairs: besides its batch, a step of a small network costs as much as about 48 pairs.
STEP_PAIRS = 48

#: Limits for the ratio of two stack sizes. Up to the first, a measured cost applies unchanged to the other stack. Up
#: to the second, it applies with a wide span. Beyond the second, stacking changes the cost several times.
_LIKE, _SOMEWHAT_LIKE = 1.5, 3.0

#: Low and high factor for the cost of a step that is estimated from the nearest known kind, such as another loss or
#: batch size.
_BY_LIKE = (0.6, 1.5)

#: Keys of `[training]` that do not change the cost of a step.
_FREE = frozenset(
    {
        *("lr", "lr_schedule", "schedule_by", "warmup_epochs", "adam_beta1", "adam_beta2", "adam_eps"),
        *BUDGETS,
    }
)

_COLUMNS = (
    "status", "config", "stack_size", "steps_done", "seconds_pretrain", "seconds_total",
    "device", "device_name", "threads", "execution_mode",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of trials: all trials whose steps cost the same."""

    key: str  # the loss's name and the task, without learning rate and budget
    batch_size: int
    members: int  # trials in a stack

    @classmethod
    def of(cls, config: TrialConfig, members: int) -> "Kind":
        """The kind of a trial in a stack of `members`."""
        return cls(
            key=_key(config.loss.name, _task_text(config.task)),
            batch_size=config.task.training.batch_size,
            members=members,
        )

    @classmethod
    def of_json(cls, config: str, members: int) -> "Kind | None":
        """Like `of`, from the config as the JSON text in records; None for a config of another form."""
        tree = json.loads(config)
        try:
            key = _key(tree["loss"]["name"], _text_of(tree["task"]))
            return cls(key=key, batch_size=int(tree["task"]["training"]["batch_size"]), members=members)
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def step_pairs(self) -> int:
        """The work of one step of one trial, in pairs."""
        return self.batch_size + STEP_PAIRS


def _key(loss: str, task: str) -> str:
    return f"{loss} {task}"


@functools.lru_cache(maxsize=4096)
def _task_text(task: Task) -> str:
    """Computed once for each task: many trials share it, and it takes a fifth of a millisecond."""
    return _text_of(canonical(task))


def _text_of(task: Mapping[str, Any]) -> str:
    training = {key: value for key, value in task["training"].items() if key not in _FREE}
    return json.dumps({**task, "training": training}, sort_keys=True)


@dataclass(frozen=True, kw_only=True)
class TrialCost:
    """Seconds of one trial on one worker: of each step, and of the rest, which is mostly evaluation."""

    step: Span
    rest: Span

    def in_stack(self, seen: int, wanted: int) -> "TrialCost":
        """The cost of a trial in a stack of `wanted` trials, if this cost was measured in a stack of `seen`.

        A larger stack is cheaper for each trial. The two ends of the span are no saving, and the cost of one step
        shared by all members.
        """
        if _ratio(seen, wanted) <= _LIKE:
            return self
        ends = sorted((1.0, seen / wanted))
        mid = math.sqrt(ends[0] * ends[1])
        return replace(self, step=self.step.times(mid).widened(ends[0] / mid, ends[1] / mid))


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The device and the execution mode of trials. Times of records with other conditions are not comparable."""

    device: str
    device_name: str
    threads: int
    execution: str
    concurrent: bool = False  # whether several trials run on a GPU at the same time


@dataclass(frozen=True, kw_only=True)
class CostModel:
    """Costs of a study's trials: in seconds if any kind of its trials has a known cost, else as relative work."""

    task: StudyTask
    known: Mapping[Kind, TrialCost] = field(default_factory=dict)  # from records or from timing

    @property
    def seconds_per_unit(self) -> float | None:
        """Seconds of a worker for one unit of `unit_costs`; None if costs are relative."""
        return 1.0 if self.known else None

    def is_known(self, kind: Kind) -> bool:
        """Whether the model has a cost for trials of this kind in a stack of about this size."""
        return self._seen(kind) is not None

    def stack_seconds(self, stack: Stack) -> Span | None:
        """Seconds of one worker for all trials of a stack; None if no cost of the study's trials is known."""
        cost = self._trial_cost(Kind.of(stack[0].config, len(stack)))
        return total(self._seconds(unit, cost) for unit in stack) if cost else None

    def unit_costs(self, stacks: Iterable[Stack]) -> dict[str, float]:
        """The expected cost of every trial in these stacks, by its id."""
        costs: dict[str, float] = {}
        for stack in stacks:
            cost = self._trial_cost(Kind.of(stack[0].config, len(stack))) if self.known else None
            for unit in stack:
                work = self._seconds(unit, cost).mid if cost else self.relative_work(unit.config, len(stack))
                costs[unit.trial_id] = work
        return costs

    def relative_work(self, config: TrialConfig, members: int = 1) -> float:
        """The work of a trial in pairs: the pairs that it trains on, and its share of the fixed cost of its steps.

        A stack of `members` trials pays the fixed cost of a step once.
        """
        return self.task.steps(config.task) * (config.task.training.batch_size + STEP_PAIRS / members)

    def with_known(self, known: Mapping[Kind, TrialCost]) -> "CostModel":
        """The same model with the costs of further kinds, for example from timing."""
        return replace(self, known={**self.known, **known})

    def without_times(self) -> "CostModel":
        """The same model with only relative costs, which are the same on every machine and in every run."""
        return replace(self, known={})

    def _seconds(self, unit: WorkUnit, cost: TrialCost) -> Span:
        """Seconds of one trial. A trial whose encoder was kept is only evaluated."""
        return cost.rest + cost.step.times(0 if unit.kept else self.task.steps(unit.config.task))

    def _trial_cost(self, kind: Kind) -> TrialCost | None:
        """The cost, from the same kind in the most similar stack or the kind with the nearest batch and stack."""
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
        import torch  # takes seconds, so only studies that ask for a GPU import it

        name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    conditions = Conditions(
        device=runtime.device,
        device_name=name,
        threads=runtime.threads,
        execution=runtime.execution,
        concurrent=loaded.context.concurrent,
    )
    trials = [*plan.trials, *stand_ins(plan.spec, plan.trial_set)]
    keys = frozenset(Kind.of(trial.config, 1).key for trial in trials)
    known = past_costs(loaded.records.table, keys, conditions)
    return CostModel(task=plan.trial_set.task, known=known)


def past_costs(records: pa.Table, keys: frozenset[str], conditions: Conditions) -> dict[Kind, TrialCost]:
    """The costs of the kinds with these keys, from trials that finished under these conditions."""
    steps: dict[Kind, list[float]] = defaultdict(list)
    rests: dict[Kind, list[float]] = defaultdict(list)
    for row in records.select(_COLUMNS).to_pylist():
        if not _is_comparable(row, conditions):
            continue
        kind = Kind.of_json(row["config"], row["stack_size"])
        if kind is not None and kind.key in keys:
            pretrain = row["seconds_pretrain"] or 0.0
            steps[kind].append(pretrain / (row["steps_done"] or 1))
            rests[kind].append(row["seconds_total"] - pretrain)
    step_spans, rest_spans = spans_of(steps), spans_of(rests)
    return {kind: TrialCost(step=step_spans[kind], rest=rest_spans[kind]) for kind in steps}


def _is_comparable(row: Mapping[str, Any], conditions: Conditions) -> bool:
    """Whether the record's trial finished under these conditions and, if its task trains, includes the training."""
    return bool(
        row["status"] == "ok"
        and row["stack_size"]
        and row["seconds_total"] is not None
        and (_trained(row) or (row["steps_done"] is None and row["seconds_pretrain"] is None))
        and (row["device"], row["device_name"], row["threads"])
        == (conditions.device, conditions.device_name, conditions.threads)
        and _ran_as(row, conditions)
    )


def _trained(row: Mapping[str, Any]) -> bool:
    """Whether the trial's time includes the whole training. It does not if the encoder was kept from before."""
    return bool(
        row["steps_done"] and row["seconds_pretrain"] and row["seconds_total"] >= row["seconds_pretrain"]
    )


def _ran_as(row: Mapping[str, Any], conditions: Conditions) -> bool:
    together, _, execution = str(row["execution_mode"]).partition(":")
    return execution == conditions.execution and (together == "concurrent") == conditions.concurrent


def _ratio(seen: int, wanted: int) -> float:
    return max(seen / wanted, wanted / seen)
