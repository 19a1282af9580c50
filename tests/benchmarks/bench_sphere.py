"""Steps of sphere trials, batched and one by one, in one run: `python -m tests.benchmarks.bench_sphere`."""

import time
from collections.abc import Sequence

import torch

from trainables.config import LossConfig, SelectionConfig, SphereTask, SphereTraining, TrialConfig
from trainables.sphere.training import train

#: N, d, B, selection.
CASES = [
    (8, 16, 8, "full"),
    (16, 32, 4, "shuffle"),
    (16, 32, 4, "all_subsets"),
    (16, 32, 4, "osgd"),
    (16, 32, 4, "spectral"),
    (64, 128, 16, "shuffle"),
]
STACKS = (1, 16, 64, 256, 512)


def trials(count: int, case: tuple[int, int, int, str], steps: int) -> list[TrialConfig]:
    """Trials of InfoNCE at ten temperatures and as many seeds as it takes."""
    n_pairs, dim, batch_size, method = case
    task = SphereTask(
        n_pairs=n_pairs,
        dim=dim,
        training=SphereTraining(batch_size=batch_size, lr=1.0, steps=steps),
        selection=SelectionConfig(method=method),
    )
    temperatures = [0.1 * (1 + index % 10) for index in range(count)]
    return [
        TrialConfig(seed=index // 10, loss=LossConfig(name="infonce", params={"temperature": t}), task=task)
        for index, t in enumerate(temperatures)
    ]


def seconds_a_step(configs: Sequence[TrialConfig]) -> float:
    """Processor seconds, which others on the machine do not change: mean over the steps, the first ones left out."""
    stamps: list[float] = []
    train(configs, "cpu", lambda _: stamps.append(time.process_time()))
    return (stamps[-1] - stamps[4]) / (len(stamps) - 5)


def main() -> None:
    """One line a case: milliseconds of a step of the whole stack, and how many times faster a trial is than alone."""
    torch.set_num_threads(1)
    print(
        "N, d, B, selection: ms a step of K trials together, of processor time (times faster a trial than alone)"
    )
    for case in CASES:
        stacks = STACKS[:3] if case[3] == "spectral" else STACKS
        steps = 10 if case[3] == "spectral" else 60
        seconds = {count: seconds_a_step(trials(count, case, steps)) for count in stacks}
        told = [f"K={k}: {1e3 * s:.2f} ({k * seconds[1] / s:.1f}x)" for k, s in seconds.items()]
        print(f"{case[0]}, {case[1]}, {case[2]}, {case[3]}: {', '.join(told)}")


if __name__ == "__main__":
    main()
