"""Coverage of every interval over 1,000 simulated studies: `python -m tests.benchmarks.bench_coverage`.

Columns: coverage where 95 % is said, its Monte-Carlo error, studies that had an interval, and whether it is marked.
"""

from tests.analysis.coverage.scores import SCORES
from tests.analysis.coverage.settings import SETTINGS, print_table
from tests.analysis.coverage.simulated import coverages


def main() -> None:
    """Print a table for each setting."""
    for place, (name, setting) in enumerate(SETTINGS.items()):
        print(name, flush=True)
        print_table(coverages(SCORES, setting, seed=place))


if __name__ == "__main__":
    main()
