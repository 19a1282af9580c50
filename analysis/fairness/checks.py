"""All fairness checks of a study: does it treat its losses alike?

Each question gives one card: pass, warn or fail. A failed card on settings also withholds decisions
(`analysis.fairness.withheld`).
"""

from collections.abc import Callable

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.fairness.edges import check_edges
from analysis.fairness.outcome import check_completeness, check_failures, check_identical, check_null_controls
from analysis.fairness.withheld import settings_cards
from analysis.study_analysis import StudyAnalysis

#: Checks on results.
_OUTCOME: tuple[Callable[[StudyAnalysis], Card], ...] = (
    check_completeness,
    check_failures,
    check_edges,
    check_identical,
    check_null_controls,
)


def check_fairness(findings: StudyAnalysis) -> list[Card]:
    """All cards, the most serious first."""
    cards = [*settings_cards(findings.tried), *(check(findings) for check in _OUTCOME)]
    return sorted(cards, key=lambda card: (FAIL, WARN, PASS).index(card.level))
