"""`small_conv` at 32x32 pixels on one CPU thread: `python -m tests.benchmarks.bench_small_images --data-root PATH`.

Images a second (each in two views) of training steps, by processor time of alternating turns in one run: with the C
library's own memory settings, with those of trials, with views in one C function (execution `fused`), and with
bfloat16 too. Each way has a process of its own, because memory settings stay until a process ends. Then the share of
the evaluation in whole trials of 5,000 CIFAR-10 images and 10 epochs, and the time of the k-th largest similarities
beside that of a selection among all of them. `--accuracy` trains ten paired seeds instead, and tells whether the
faster ways change the accuracy. The aims are at least 4,000 images a second, at most a fifth of the time in the
evaluation, and a change of the accuracy of at most half a point.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
from scipy import stats

from tests.benchmarks.interleaved import processor_seconds
from tests.benchmarks.trainings import SMALL_CONV, random_data, trainer, trials
from trainables.allocator import keep_freed_memory
from trainables.config import DataConfig, ImagesTask, LossConfig, ProbeConfig, TrainingConfig, TrialConfig
from trainables.evaluation.neighbours import _kth_largest, _partitioned
from trainables.runtime import Runtime
from trainables.trial import Turn, run_trial, trial_turns

#: Ways of training: whether the process keeps freed memory, the execution mode, and the precision.
Way = tuple[bool, str, str]
WAYS: tuple[Way, ...] = (
    (False, "eager", "float32"),
    (True, "eager", "float32"),
    (True, "fused", "float32"),
    (True, "fused", "bfloat16"),
)

_BATCH_SIZES = (16, 64, 128, 256)

#: Images that a way trains on in one turn.
_IMAGES_A_TURN = 2048

#: The default suite, the same with the SGD probe, and all probes without corrupted images.
_SUITES = (
    ("probe10", "probe_full", "knn"),
    ("probe10", "probe_full", "knn", "probe_sgd"),
    ("probe1", "probe5", "probe10", "probe100", "probe_full", "probe_sgd", "knn", "retrieval", "retrieval_z"),
)


def _train_on_request(way: Way, batch_size: int, turns: Connection) -> None:
    """Train for a turn at each request, and answer with its processor seconds."""
    kept, execution, precision = way
    torch.set_num_threads(1)
    if kept:
        keep_freed_memory()
    data = random_data(32)
    training = trainer(
        trials(SMALL_CONV, data, batch_size, precision=precision), data, Runtime(execution=execution)
    )
    while turns.recv():
        started = time.process_time()
        for _ in range(_IMAGES_A_TURN // batch_size):
            training.advance()
        turns.send(time.process_time() - started)


def training_seconds(batch_size: int, rounds: int) -> list[float]:
    """Median processor seconds of a turn of each of the `WAYS`."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for way in WAYS:
        here, there = context.Pipe()
        processes.append(context.Process(target=_train_on_request, args=(way, batch_size, there)))
        processes[-1].start()
        pipes.append(here)
    times = [[_answer(pipe) for pipe in pipes] for _ in range(rounds + 1)][1:]
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send(False)
        process.join()
    return [statistics.median(column) for column in zip(*times, strict=True)]


def _answer(pipe: Connection) -> float:
    pipe.send(True)
    seconds: float = pipe.recv()
    return seconds


def print_training(rounds: int) -> None:
    """Images a second of every way, and times the first one."""
    print("\nsmall_conv, width 16, 32x32, recipe cifar, random pixels: images a second, and times the first")
    print("  M | " + " | ".join(f"{'kept' if kept else 'own'}, {mode}, {kind}" for kept, mode, kind in WAYS))
    for batch_size in _BATCH_SIZES:
        rates = [_IMAGES_A_TURN / seconds for seconds in training_seconds(batch_size, rounds)]
        print(f"{batch_size:3} | " + " | ".join(f"{rate:6,.0f} ({rate / rates[0]:.2f})" for rate in rates))


def _trial(
    seed: int, suite: Sequence[str], precision: str = "float32", test: int | None = None
) -> TrialConfig:
    task = ImagesTask(
        data=DataConfig(name="parquet:cifar10_jpeg", train_limit=5000, test_limit=test),
        views="cifar",
        encoder=SMALL_CONV,
        training=TrainingConfig(batch_size=128, lr=0.5, epochs=10, precision=precision),
        probe=ProbeConfig(suite=tuple(suite)),
    )
    return TrialConfig(seed=seed, loss=LossConfig(name="ntxent", params={"temperature": 0.2}), task=task)


def print_shares(data_root: Path) -> None:
    """Processor seconds of training and evaluation of whole trials. The first step loads the images: left out."""
    print(
        "\n5,000 images of CIFAR-10 (JPEG), 10 epochs, M = 128: seconds of training, of evaluation, and its share"
    )
    for test in (1000, None):
        for suite in _SUITES:
            runtime, last = Runtime(data_root=data_root), time.process_time()
            steps, trained, evaluated = 0, 0.0, 0.0
            stages = 0  # the first one ends the training; an evaluation has steps of its own
            for turn in trial_turns([_trial(0, suite, test=test)], runtime=runtime, attempts=[0]):
                seconds, last = time.process_time() - last, time.process_time()
                steps, stages = steps + 1, stages + (turn is Turn.STAGE)
                if stages > 1 or (stages == 1 and turn is not Turn.STAGE):
                    evaluated += seconds
                elif steps > 1:
                    trained += seconds
            share = evaluated / (trained + evaluated)
            print(
                f"{test or 10000:6,} test images, {len(suite)} probes: {trained:.1f}, {evaluated:.1f}, {share:.0%}"
            )


def print_selection(rounds: int) -> None:
    """The 20th largest of 5,000 similarities for each of 800 queries."""
    similarity = torch.rand(800, 5000, generator=torch.Generator().manual_seed(0))
    calls = [lambda: _partitioned(similarity, 20), lambda: _kth_largest(similarity, 20)]
    among_all, ours = processor_seconds(calls, rounds=rounds)
    print(f"\n20th largest of 800 x 5,000: {1e3 * among_all:.1f} ms among all, {1e3 * ours:.1f} ms ours")


def print_accuracy(data_root: Path, seeds: int) -> None:
    """Test accuracies at the same seeds, minus those of eager float32."""
    suite = ("probe_full", "knn")
    print(
        f"\n5,000 images, 10 epochs, {seeds} paired seeds: test accuracy minus that of eager float32, points"
    )
    found: dict[tuple[str, str], np.ndarray] = {}
    for execution, precision in (("eager", "float32"), ("fused", "float32"), ("fused", "bfloat16")):
        runtime = Runtime(data_root=data_root, execution=execution)
        records = [run_trial(_trial(seed, suite, precision), runtime=runtime) for seed in range(seeds)]
        columns = [[getattr(record, f"test_{probe}_accuracy") for record in records] for probe in suite]
        found[execution, precision] = 100 * np.array(columns)
        difference = found[execution, precision] - found["eager", "float32"]
        for probe, scores, each in zip(suite, found[execution, precision], difference, strict=True):
            margin = stats.t.ppf(0.975, seeds - 1) * stats.sem(each)
            print(
                f"{execution}, {precision}, {probe}: mean {scores.mean():.2f}, difference {each.mean():+.2f} "
                f"+- {margin:.2f} (95 % interval, paired)",
                flush=True,
            )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data-root", type=Path, help="where cifar10_jpeg lies; without it, speed of steps only"
    )
    parser.add_argument("--accuracy", action="store_true", help="accuracy of the faster ways instead")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if options.accuracy and not options.data_root:
        parser.error("--accuracy needs --data-root")
    torch.set_num_threads(1)
    if options.accuracy:
        print_accuracy(options.data_root, options.seeds)
        return
    print_training(options.rounds)
    print_selection(options.rounds)
    if options.data_root:
        print_shares(options.data_root)


if __name__ == "__main__":
    main()
