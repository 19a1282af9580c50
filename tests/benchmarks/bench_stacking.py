"""What stacked training gains over one by one: `python -m tests.benchmarks.bench_stacking`.

Small networks of width 16 on one CPU thread, processor time of alternating turns; on a GPU by CUDA events too,
eager and as CUDA graphs. Every trial has its own seed, so its own batches and views. To beat: twice the speed at
8x8, 1.4 times at 16x16.
"""

import argparse
import statistics
from collections.abc import Sequence

import torch

from tests.benchmarks.interleaved import Call, processor_seconds, repeated
from tests.benchmarks.trainings import SMALL_CONV, one_by_one, random_data, trainer, trials
from trainables.runtime import Runtime

TRIALS, BATCH_SIZES, SIZES = (2, 4, 8, 16), (16, 32, 64, 256), (8, 16)

#: Pairs of all trials together that a turn trains on.
_PAIRS_A_TURN = 2048


def gains(size: int, batch_size: int, counts: Sequence[int], rounds: int) -> list[float]:
    """How many times faster K trials train stacked than one by one, for each K of `counts`."""
    data = random_data(size)
    calls: list[Call] = []
    for count in counts:
        configs = trials(SMALL_CONV, data, batch_size, count)
        steps = max(1, _PAIRS_A_TURN // (batch_size * count))
        calls.append(repeated(trainer(configs, data).advance, steps))
        # One of them stands for all: they are equal in work.
        calls.append(repeated(trainer(configs[:1], data).advance, steps * count))
    seconds = processor_seconds(calls, rounds=rounds)
    return [alone / stacked for stacked, alone in zip(seconds[::2], seconds[1::2], strict=True)]


def print_gains(size: int, batch_sizes: Sequence[int], counts: Sequence[int], rounds: int) -> None:
    """A table of gains: batch sizes down, trials across."""
    print(f"\n{size}x{size}, one CPU thread: times faster stacked than one by one, K = {counts}")
    for batch_size in batch_sizes:
        row = gains(size, batch_size, counts, rounds)
        print(f"M = {batch_size:3} | " + " | ".join(f"{gain:5.2f}" for gain in row))


def cuda_gain(size: int, batch_size: int, count: int, execution: str, rounds: int = 7) -> float:
    """As `gains`, by CUDA events: grouped convolutions against steps of the trials one after another."""
    data, runtime = random_data(size), Runtime(device="cuda", execution=execution)
    configs = trials(SMALL_CONV, data, batch_size, count)
    stacked = repeated(trainer(configs, data, runtime).advance, 20)
    apart = [repeated(each.advance, 20) for each in one_by_one(configs, data, runtime)]
    times = [(_cuda_seconds([stacked]), _cuda_seconds(apart)) for _ in range(rounds + 1)][1:]
    return statistics.median(alone / together for together, alone in times)


def _cuda_seconds(calls: Sequence[Call]) -> float:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for call in calls:
        call()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1e3


def print_cuda(size: int, batch_size: int) -> None:
    """Gains on the GPU, where there is one."""
    title = f"{size}x{size}, M = {batch_size}, CUDA"
    if not torch.cuda.is_available():
        print(f"{title}: not measured: no GPU")
        return
    for execution in ("eager", "graphed"):
        try:
            row = [cuda_gain(size, batch_size, count, execution) for count in TRIALS]
            print(f"{title}, {execution}: " + " | ".join(f"{gain:5.2f}" for gain in row))
        except RuntimeError as error:
            print(f"{title}, {execution}: failed: {error}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=BATCH_SIZES)
    parser.add_argument("--trials", type=int, nargs="+", default=TRIALS)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for size in options.sizes:
        print_gains(size, options.batch_sizes, options.trials, options.rounds)
    print()
    for size in options.sizes:
        print_cuda(size, 32)


if __name__ == "__main__":
    main()
