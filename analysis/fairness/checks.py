"""All fairness checks of a study: does it treat its losses alike?

Each question gives one card: pass, warn or fail.
"""

from collections.abc import Callable

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.fairness.outcome import check_completeness, check_failures, check_null_controls
from analysis.fairness.protocol import (
    check_budget,
    check_code,
    check_hardware,
    check_precision,
    check_protocol,
    check_steps,
)
from analysis.fairness.rates import check_learning_rates
from analysis.fairness.space import check_cells, check_edges, check_seeds
from analysis.fairness.studies import study_cards
from analysis.study_analysis import StudyAnalysis

CHECKS: tuple[Callable[[StudyAnalysis], Card], ...] = (
    check_completeness,
    check_failures,
    check_cells,
    check_seeds,
    check_learning_rates,
    check_budget,
    check_steps,
    check_edges,
    check_protocol,
    check_precision,
    check_hardware,
    check_code,
    check_null_controls,
)


def check_fairness(findings: StudyAnalysis) -> list[Card]:
    """All cards, the most serious first."""
    return sorted(
        [*(check(findings) for check in CHECKS), *study_cards(findings.table)],
        key=lambda card: (FAIL, WARN, PASS).index(card.level),
    )
