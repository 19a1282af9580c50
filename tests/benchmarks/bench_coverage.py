"""Coverage of intervals over simulated studies: `python -m tests.benchmarks.bench_coverage [all|selection]`.

For `all`, every interval on the demo's losses, 1,000 studies each: coverage where 95 % is said, its Monte-Carlo
error, studies that had an interval, and whether it is marked. For drawn configurations: coverage of the average and
its width in points, and studies with a false difference between four identical losses, in percent. Then, alone for
`selection`, scores over ordered pairs of seeds on other surfaces, 4,000 studies each.
"""

import sys

import numpy as np

from tests.analysis.coverage.drawn import NOISE, POINTS, found_of
from tests.analysis.coverage.scores import SCORES
from tests.analysis.coverage.selection import SEEDS, SURFACES, selection_coverage
from tests.analysis.coverage.settings import SETTINGS, print_table
from tests.analysis.coverage.simulated import STUDIES, coverages


def main(what: str = "all") -> None:
    """Print a table for each setting."""
    if what == "all":
        for place, (name, setting) in enumerate(SETTINGS.items()):
            print(name, flush=True)
            print_table(coverages(SCORES, setting, seed=place))
        for drawn in NOISE:
            for seeds in (3, 5, 10):
                print(f"drawn configurations, {drawn}, {POINTS} points, {seeds} seeds", flush=True)
                shares = found_of(surface=drawn, points=POINTS, seeds=seeds, studies=STUDIES)
                for name, value in shares.items():
                    print(f"  {name:40} {100 * value:6.1f}")
    for name, surface in SURFACES.items():
        for seeds in SEEDS:
            found = selection_coverage(surface, seeds, studies=4000, rng=np.random.default_rng(seeds))
            told = ", ".join(f"{score} {100 * share:.1f}" for score, share in found.items())
            print(f"{name}, {seeds} seeds: {told}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:2])
