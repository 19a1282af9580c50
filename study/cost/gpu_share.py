"""What share of a GPU a trial needs, from its peak memory: `gpus_per_trial = "auto"`.

Never run on a GPU so far. Shares are one over a whole number, so that so many trials of a kind fill a card.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, groupby

import pyarrow as pa

from study.errors import StudyError
from trainables.config import TrialConfig, canonical_json
from trainables.work import Stack

#: A trial is given its peak memory and so much more: the allocator keeps what it has freed, in pieces.
HEAD_ROOM = 0.25

#: Bytes of a card that a process takes beside its tensors: the CUDA context and the libraries' code.
CONTEXT_BYTES = 600 * 2**20

#: More trials than this slow one another on a card rather than fill it.
_MOST_A_CARD = 16

#: Ray counts shares in ten-thousandths.
_GRAIN = 10_000


#: The GPUs that a worker asks for while it runs each of some stacks.
SharesOf = Callable[[Sequence[Stack]], list[float]]


def gpu_share(peak_bytes: float, card_bytes: float) -> float:
    """The share of a card of `card_bytes` that a trial of this peak memory asks for: 1 / n, rounded down.

    n is the largest number of trials whose needs fit on the card together, the context of each process and a
    head-room of a quarter included, and at most 16; 1 where one needs more than half. Raises `ValueError` where not
    one fits.
    """
    need = peak_bytes * (1 + HEAD_ROOM) + CONTEXT_BYTES
    trials = min(_MOST_A_CARD, int(card_bytes // need))
    if not trials and peak_bytes + CONTEXT_BYTES > card_bytes:
        raise ValueError(
            f"a trial needs {peak_bytes / 2**30:.1f} GiB and its process {CONTEXT_BYTES / 2**30:.1f}, the GPU has "
            f"{card_bytes / 2**30:.1f}"
        )
    return math.floor(_GRAIN / max(1, trials)) / _GRAIN


def memory_key(config: TrialConfig) -> str:
    """Equal for trials of one network, data, batch size and precision: those take the same memory."""
    return _memory_key(canonical_json(config))


def _memory_key(config: str) -> str:
    task = json.loads(config)["task"]
    training = {name: task["training"].get(name) for name in ("batch_size", "precision")}
    return json.dumps(
        {name: value for name, value in task.items() if name != "views"} | {"training": training}
    )


def past_peaks(records: pa.Table, *, device_name: str, execution: str) -> dict[str, int]:
    """The highest peak memory that finished trials had on such a GPU, by `memory_key`."""
    columns = (
        "status",
        "config",
        "peak_memory_bytes",
        "steps_done",
        "device",
        "device_name",
        "execution_mode",
    )
    peaks: dict[str, int] = {}
    for row in records.select(columns).to_pylist():
        mode = str(row["execution_mode"])
        alike = (row["device"], row["device_name"]) == ("cuda", device_name) and mode.endswith(
            f":{execution}"
        )
        if alike and row["status"] == "ok" and row["steps_done"] and row["peak_memory_bytes"]:
            key = _memory_key(row["config"])
            peaks[key] = max(peaks.get(key, 0), row["peak_memory_bytes"])
    return peaks


def shares_of(peaks: Mapping[str, int], card_bytes: float) -> dict[str, float]:
    """The share for each `memory_key`. Raises `StudyError` for one that no card has room for."""
    try:
        return {key: gpu_share(peak, card_bytes) for key, peak in peaks.items()}
    except ValueError as error:
        raise StudyError(f"resources.gpus_per_trial: {error}; take a smaller batch size") from error


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
    share = dict(zip(map(id, chain(*whole)), shares_of(list(chain(*whole))), strict=True))
    cut = [list(same) for stacks in whole for _, same in groupby(stacks, key=lambda stack: share[id(stack)])]
    cut.sort(key=lambda stacks: -share[id(stacks[0])])
    return cut, [share[id(stacks[0])] for stacks in cut]
