"""Groups the trials of a launch: into stacks that train as one network, and into lists that a worker takes whole.

The trials of a stack differ only in seed, learning rate and numerical settings of the loss. `study plan` schedules
the missing trials in the same way to estimate their time.
"""

import dataclasses
import functools
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from study.cost.model import CostModel
from study.spec.expand import PlannedTrial
from trainables.config import Task, TrialConfig, canonical_json
from trainables.early_stopping import EarlyStopping
from trainables.store.artefacts import kept_path
from trainables.work import LaunchContext, Stack, WorkUnit

#: Expected seconds of the longest list. At this length, the start of a list costs little, and no worker waits long
#: for the last list.
LIST_SECONDS = 30.0

#: From so many stacks for each worker on, the first ones that run are cheap.
_MANY = 8


def work_unit(
    trial: PlannedTrial,
    context: LaunchContext,
    *,
    attempt: int = 0,
    early_stopping: EarlyStopping | None = None,
) -> WorkUnit:
    """The unit of work for an attempt at a trial."""
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
    """Put every unit into exactly one stack. Stacks of one kind have nearly equal sizes.

    No stack is larger than the task's `stack_limit` (given as `limit`) or than one worker's share of all units. A
    stack contains one loss only. So losses with the same trials, above all the null control, have the same rounding
    errors.
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
    """A key that is equal for trials that can train as one network, if they have the same loss."""
    training = dataclasses.replace(config.task.training, lr=1.0)
    return _task_text(dataclasses.replace(config.task, training=training))


@functools.lru_cache(maxsize=4096)
def _task_text(task: Task) -> str:
    return canonical_json(task)


def cut_lists(
    stacks: Sequence[Stack], costs: Mapping[str, float], model: CostModel, workers: int
) -> list[list[Stack]]:
    """Cut stacks into lists for workers. `costs` has the cost of every trial by its id, in units of `model`."""
    longest = LIST_SECONDS / model.seconds_per_unit if model.seconds_per_unit else math.inf
    priced = [(stack, sum(costs[unit.trial_id] for unit in stack)) for stack in stacks]
    return split_work(priced, workers, longest=longest)


def split_work(
    stacks: Sequence[tuple[Stack, float]], workers: int, *, longest: float = float("inf")
) -> list[list[Stack]]:
    """Cut stacks, each given with its expected cost, into lists by guided self-scheduling.

    Stacks are taken from the costliest to the cheapest. Each list takes the fraction `1 / (3 workers)` of the
    remaining cost, but at most `longest`, and at least one stack. If there are many stacks, each worker first takes
    one of the cheapest, so that a launch soon has results. Enough cheap ones are left for the end.
    """
    queue = sorted(stacks, key=lambda pair: -pair[1])
    lists: list[list[Stack]] = []
    if len(queue) >= _MANY * workers:
        lists = [[stack] for stack, _ in reversed(queue[-workers:])]
        queue = queue[:-workers]
    left = sum(cost for _, cost in queue)
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
