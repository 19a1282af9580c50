"""Operators of an eager training step by part, counted without a GPU: `python -m tests.benchmarks.bench_operators`.

One row for each loss and form of the views. `--names` also prints the operators of each part by name.
"""

import argparse

import torch

from study.bench.stages import STAGES
from tests.benchmarks.operators import MODES, operators_of_a_step
from tests.trainables.device.fake_cuda import pretended_cuda

_LOSSES = ("ntxent", "infonce", "dhel", "kcl")


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", action="store_true")
    names = parser.parse_args().names
    torch.set_num_threads(1)
    print(f"{'loss':10}{'form':16}" + "".join(f"{stage:>10}" for stage in (*STAGES, "step")))
    with pretended_cuda() as device:
        for loss in _LOSSES:
            for form, execution in MODES.items():
                found = operators_of_a_step(device, loss, execution)
                counts = [count.total() for count in found.values()]
                print(f"{loss:10}{form:16}" + "".join(f"{count:10}" for count in (*counts, sum(counts))))
                if names:
                    for stage, count in found.items():
                        print(f"  {stage}: {', '.join(f'{n} {name}' for name, n in count.most_common())}")


if __name__ == "__main__":
    main()
