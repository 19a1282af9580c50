"""Error, coverage and width of the decisions over simulated studies: `python -m tests.benchmarks.bench_decisions`.

By default 4,000 studies of 2, 3, 4 and 7 losses at 2, 3, 5, 10 and 20 seeds, which takes about an hour on one core.
The first table has the share of studies with any wrong decision, in percent, for each truth. The second has, for the
last truth, coverage and median full width in points of the interval of one comparison alone, the width of the
simultaneous one, and how often losses with different surfaces are told apart. The third has the share of studies with
any wrong decision at any look up to 20 seeds.
"""

import argparse
import itertools

import numpy as np

from analysis.statistics.comparisons.decisions import QUESTIONS
from tests.analysis.coverage.decision_errors import (
    TRUTHS,
    Outcome,
    Setting,
    error_over_looks,
    family_error,
    simulate_decisions,
)
from tests.analysis.coverage.noisy_studies import SCENARIOS

#: First looks whose later looks are simulated.
_FIRST_LOOKS = (2, 3, 5)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=4000)
    parser.add_argument("--losses", type=int, nargs="+", default=[2, 3, 4, 7])
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 5, 10, 20])
    parser.add_argument("--scenarios", nargs="+", default=list(SCENARIOS))
    parser.add_argument("--truths", nargs="+", default=list(TRUTHS), choices=TRUTHS)
    parser.add_argument("--looks", action=argparse.BooleanOptionalAction, default=True)
    given = parser.parse_args()
    print(
        f"any wrong decision, % of {given.studies} studies, by truth: {', '.join(given.truths)}", flush=True
    )
    details = []
    for losses, seeds, scenario in itertools.product(given.losses, given.seeds, given.scenarios):
        errors = []
        for truth in given.truths:
            outcomes = simulate_decisions(
                Setting(scenario=scenario, truth=truth, losses=losses, seeds=seeds), studies=given.studies
            )
            errors.append(family_error(outcomes))
        details.append((losses, seeds, scenario, outcomes))
        shown = "  ".join(f"{100 * error:5.2f}" for error in errors)
        mark = "  ABOVE 6 %" if max(errors) > 0.06 else ""
        print(f"  {losses} losses, {seeds:2} seeds  {scenario:12} {shown}{mark}", flush=True)
    _print_widths(details)
    if given.looks:
        _print_looks(given.studies, given.scenarios)


def _print_widths(details: list[tuple[int, int, str, dict[str, Outcome]]]) -> None:
    print("\nby the last truth: coverage, width alone, width simultaneous, given, decided; found, alone")
    for losses, seeds, scenario, outcomes in details:
        for name in QUESTIONS:
            item = outcomes[name]
            found = " ".join(
                f"{difference:+.1f}: {both:.2f} {alone:.2f};"
                for difference, both, alone in zip(item.difference, item.found, item.found_alone, strict=True)
            )
            print(
                f"  {losses} losses, {seeds:2} seeds  {scenario:12} {name:20} {item.covered:5.3f} {item.width:6.2f} "
                f"{item.simultaneous:6.2f} {item.given:5.2f} {item.decided:5.2f}  {found}"
            )


def _print_looks(studies: int, scenarios: list[str]) -> None:
    print("\nany wrong decision at any look up to 20 seeds, %, by first look; 4 losses, equal and lower")
    for scenario, truth in itertools.product(scenarios, TRUTHS[:2]):
        setting = Setting(scenario=scenario, truth=truth, losses=4, seeds=20)
        errors = [error_over_looks(setting, first, studies=studies) for first in _FIRST_LOOKS]
        shown = "  ".join(
            f"{first}: {100 * error:5.2f}" for first, error in zip(_FIRST_LOOKS, errors, strict=True)
        )
        print(
            f"  {scenario:12} {truth:6} {shown}{'  ABOVE 6 %' if np.max(errors) > 0.06 else ''}", flush=True
        )


if __name__ == "__main__":
    main()
