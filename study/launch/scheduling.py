"""How a launch puts its trials together: stacks that are trained as one network, and lists that a worker takes whole.

Trials of a stack are equal but for seed, learning rate and numbers of the loss. `study plan` schedules the missing
trials in the same way to say how long they will take.
"""

import dataclasses
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from study.cost.gpu_shares import SharesOf
from study.cost.model import CostModel
from study.spec.expand import PlannedTrial
from trainables.config import Task, TrialConfig, canonical_json
from trainables.early_stopping import EarlyStopping
from trainables.store.artefacts import kept_path
from trainables.work import LaunchContext, Stack, WorkUnit

#: Expected seconds of the longest list: start-up is long paid, and little is left to wait for at the end.
LIST_SECONDS = 30.0


def work_unit(
    trial: PlannedTrial,
    context: LaunchContext,
    *,
    attempt: int = 0,
    early_stopping: EarlyStopping | None = None,
) -> WorkUnit:
    """An attempt at a trial."""
    artefacts = context.runtime.artefacts
    return WorkUnit(
        trial_id=trial.keys.trial_id,
        attempt=attempt,
        config=trial.config,
        title=trial.title,
        kept=artefacts is not None and kept_path(artefacts, trial.keys.pretrain_id).exists(),
        early_stopping=early_stopping,
    )


def form_stacks(
    units: Sequence[WorkUnit], workers: int, *, limit: Callable[[Task], int], stacked: bool
) -> list[Stack]:
    """Every unit in one stack; stacks of a kind are even, and there are as many as workers where units suffice.

    `limit` is the task's `stack_limit`. A stack holds one loss: losses with the same trials, the null control above
    all, are then rounded alike.
    """
    kinds: dict[tuple[str, ...], list[WorkUnit]] = defaultdict(list)
    for unit in units:
        together = stacked and not unit.alone and limit(unit.config.task) > 1
        kinds[(unit.config.loss.name, stack_key(unit.config)) if together else (unit.trial_id,)].append(unit)
    share = math.ceil(len(units) / workers)
    stacks: list[Stack] = []
    for members in kinds.values():
        count = math.ceil(len(members) / min(share, limit(members[0].config.task)))
        bounds = [round(len(members) * index / count) for index in range(count + 1)]
        stacks += [tuple(members[start:end]) for start, end in itertools.pairwise(bounds)]
    return stacks


def stack_key(config: TrialConfig) -> str:
    """Equal for trials that can be trained as one network."""
    training = dataclasses.replace(config.task.training, lr=1.0)
    return canonical_json(dataclasses.replace(config.task, training=training))


def cut_lists(
    stacks: Sequence[Stack], costs: Mapping[str, float], model: CostModel, workers: int
) -> list[list[Stack]]:
    """Lists of stacks for workers, by the cost of every trial in units of `model`."""
    longest = LIST_SECONDS / model.seconds_per_unit if model.seconds_per_unit else math.inf
    priced = [(stack, sum(costs[unit.trial_id] for unit in stack)) for stack in stacks]
    return split_work(priced, workers, longest=longest)


def split_work(
    stacks: Sequence[tuple[Stack, float]], workers: int, *, longest: float = float("inf")
) -> list[list[Stack]]:
    """Lists of stacks, each with its expected cost given, by guided self-scheduling.

    Stacks are taken from the costliest to the cheapest. Each list takes a share of what is left, `1 / (3 workers)`
    of it but at most `longest`, and at least one stack.
    """
    queue = sorted(stacks, key=lambda pair: -pair[1])
    left = sum(cost for _, cost in queue)
    lists: list[list[Stack]] = []
    while queue:
        share = min(longest, left / (3 * workers))
        taken: list[Stack] = []
        cost = 0.0
        while queue and (not taken or cost + queue[0][1] <= share):
            stack, price = queue.pop(0)
            taken.append(stack)
            cost += price
        left -= cost
        lists.append(taken)
    return lists


def same_share(gpus: float) -> SharesOf:
    """The same for all stacks, as a study file gives it."""
    return lambda stacks: [gpus] * len(stacks)


def group_lists(
    lists: Iterable[Sequence[Stack]], shares_of: SharesOf
) -> tuple[list[list[Stack]], list[float]]:
    """Lists whose stacks all ask for the same, and what each asks for, the largest first.

    A list of several shares becomes several; the order is kept otherwise. A worker keeps its share for a whole
    list, and small ones that came first could keep a large one waiting.
    """
    whole = [list(stacks) for stacks in lists]
    share = dict(zip(map(id, itertools.chain(*whole)), shares_of(list(itertools.chain(*whole))), strict=True))
    cut = [
        list(same)
        for stacks in whole
        for _, same in itertools.groupby(stacks, key=lambda stack: share[id(stack)])
    ]
    cut.sort(key=lambda stacks: -share[id(stacks[0])])
    return cut, [share[id(stacks[0])] for stacks in cut]
