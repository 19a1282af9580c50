"""Our training against the usual pipeline, on one CPU thread: `python -m tests.benchmarks.bench_training`.

Images a second (each in two views) by processor time of alternating turns in one run. The usual pipeline makes
Pillow views in a `DataLoader` without further processes, and trains in eager float32. To beat: 8 times the speed
for small networks, stacking included; twice for ResNet-18 where the processor has bfloat16. `--accuracy` trains a
small network in both precisions on digits and tells whether accuracy suffers. Pixels are random, unless
`--data-root` has `cifar10_jpeg` for ResNet-18.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from scipy import stats

from study.spec.tasks.images import network_stack_limit
from tests.benchmarks.interleaved import processor_seconds, repeated
from tests.benchmarks.trainings import RESNET18, SMALL_CONV, random_data, trainer, trials
from tests.benchmarks.usual_pipeline import UsualTraining
from trainables.config import DataConfig, ImagesTask, LossConfig, TrainingConfig, TrialConfig
from trainables.datasets.datasets import load_dataset
from trainables.datasets.loaded import ImageData
from trainables.runtime import Runtime
from trainables.trial import run_trials

_BATCH_SIZES = (32, 64)

#: Steps of the usual pipeline, and images of each of ours, in one turn.
_USUAL_STEPS, _IMAGES_A_TURN = 2, 2048


def print_small(size: int, batch_size: int, rounds: int) -> None:
    """Small network: the usual pipeline, ours alone, ours stacked as workers stack."""
    data = random_data(size)
    count = network_stack_limit(trials(SMALL_CONV, data, batch_size)[0].task, size**2)
    configs = trials(SMALL_CONV, data, batch_size, count)
    steps = max(1, _IMAGES_A_TURN // batch_size)
    stacked_steps = max(1, steps // count)
    seconds = processor_seconds(
        [
            repeated(UsualTraining(SMALL_CONV, data, batch_size).advance, _USUAL_STEPS),
            repeated(trainer(configs[:1], data).advance, steps),
            repeated(trainer(configs, data).advance, stacked_steps),
        ],
        rounds=rounds,
    )
    done = np.array([_USUAL_STEPS, steps, stacked_steps * count]) * batch_size
    usual, alone, stacked = done / seconds
    print(
        f"{size:2}x{size:<2} | {batch_size:3} | {usual:7,.0f} | {alone:7,.0f} | {alone / usual:5.1f} "
        f"| {count:2} | {stacked:7,.0f} | {stacked / usual:5.1f}"
    )


def print_resnet(data: ImageData, batch_size: int, rounds: int) -> None:
    """ResNet-18 with CIFAR stem: the usual pipeline, ours in float32, ours in bfloat16."""
    ours = [trials(RESNET18, data, batch_size, precision=name) for name in ("float32", "bfloat16")]
    calls = [UsualTraining(RESNET18, data, batch_size).advance]
    calls += [trainer(configs, data).advance for configs in ours]
    usual, full, half = batch_size / np.array(processor_seconds(calls, rounds=rounds))
    print(
        f"\nResNet-18, CIFAR stem, 32x32, M = {batch_size}, {data.info.name} pixels, channels-last: images/s"
    )
    print(f"processor: {' '.join(_bfloat16_instructions()) or 'no bfloat16 instructions'}")
    print(f"usual {usual:.1f}, float32 {full:.1f} ({full / usual:.2f} times), ", end="")
    print(f"bfloat16 {half:.1f} ({half / usual:.2f} times usual, {half / full:.2f} times float32)")


def print_accuracy(seeds: int) -> None:
    """Test accuracies of small networks trained on digits, bfloat16 minus float32 at the same seeds."""
    full, half = (_accuracies(name, seeds) for name in ("float32", "bfloat16"))
    print(f"\ndigits, small_conv, 20 epochs, {seeds} seeds: test accuracy, bfloat16 minus float32")
    for probe, before in full.items():
        difference = half[probe] - before
        margin = stats.t.ppf(0.975, seeds - 1) * stats.sem(difference)
        print(
            f"{probe}: float32 {before.mean():.4f}, deviation over seeds {before.std(ddof=1):.4f}; "
            f"difference {difference.mean():+.4f} +- {margin:.4f} (95 % interval, paired)"
        )


def _accuracies(precision: str, seeds: int) -> dict[str, np.ndarray]:
    task = ImagesTask(
        data=DataConfig(name="digits"),
        views="digits",
        encoder=SMALL_CONV,
        training=TrainingConfig(batch_size=64, lr=0.5, epochs=20, precision=precision),
    )
    loss = LossConfig(name="ntxent", params={"temperature": 0.2})
    configs = [TrialConfig(seed=seed, loss=loss, task=task) for seed in range(seeds)]
    records = list(run_trials(configs, runtime=Runtime(), attempts=[0] * seeds))
    probes = [f"test_{probe}_accuracy" for probe in task.probe.suite]
    return {probe: np.array([getattr(record, probe) for record in records]) for probe in probes}


def _bfloat16_instructions() -> list[str]:
    """The processor's instructions on bfloat16, as Linux names them."""
    try:
        words = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return []
    return sorted(words & {"avx512_bf16", "amx_bf16", "amx_tile", "bf16"})


def _images(data_root: Path | None) -> ImageData:
    if data_root is None:
        return random_data(32)
    return load_dataset(DataConfig(name="parquet:cifar10_jpeg", train_limit=2048, test_limit=100), data_root)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accuracy", action="store_true", help="bfloat16 against float32 on digits instead")
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--data-root", type=Path, help="where cifar10_jpeg lies")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.accuracy:
        print_accuracy(options.seeds)
        return
    print("\nsmall_conv, width 16, one CPU thread: images a second, and times the usual pipeline")
    print("size  |   M |   usual |    ours | times |  K | stacked | times")
    for size in (8, 16):
        for batch_size in _BATCH_SIZES:
            print_small(size, batch_size, options.rounds)
    print_resnet(_images(options.data_root), 64, max(3, options.rounds // 3))


if __name__ == "__main__":
    main()
