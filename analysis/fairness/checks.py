"""All fairness checks of a study: does it treat its losses alike?

Each question gives one card: pass, warn or fail. In a comparison of several studies, what losses should have in
common is asked within each study, and what studies should have in common is asked in `analysis.fairness.studies`.
"""

import dataclasses
from collections.abc import Callable, Iterator

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.fairness.outcome import check_completeness, check_failures, check_null_controls
from analysis.fairness.protocol import (
    NOT_RECORDED,
    check_between,
    check_budget,
    check_code,
    check_hardware,
    check_precision,
    check_protocol,
    check_steps,
)
from analysis.fairness.rates import check_learning_rates
from analysis.fairness.space import check_cells, check_edges, check_seeds
from analysis.fairness.studies import STUDY, study_cards
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
    check_between,
    check_precision,
    check_hardware,
    check_code,
    check_null_controls,
)

#: Checks on what all losses of one study should have in common.
_WITHIN_A_STUDY = (
    check_cells,
    check_seeds,
    check_budget,
    check_protocol,
    check_precision,
    check_hardware,
    check_code,
)


def check_fairness(findings: StudyAnalysis) -> list[Card]:
    """All cards, the most serious first."""
    cards = list(_compared_cards(findings) if findings.info.compared else _cards(findings))
    return sorted(cards, key=lambda card: (FAIL, WARN, PASS).index(card.level))


def _cards(findings: StudyAnalysis) -> Iterator[Card]:
    yield from (check(findings) for check in CHECKS)


def _compared_cards(findings: StudyAnalysis) -> Iterator[Card]:
    """The cards of a comparison. Checks within a study that pass have no card."""
    yield from study_cards(findings.info, findings.table)
    yield from (check(findings) for check in CHECKS if check not in _WITHIN_A_STUDY)
    for study in findings.info.compared:
        part = _part(findings, study.name)
        for card in (check(part) for check in _WITHIN_A_STUDY):
            if card.level != PASS and not card.title.endswith(NOT_RECORDED):  # the cards on studies say this
                yield dataclasses.replace(card, title=f"{card.title}, in {study.name}")


def _part(findings: StudyAnalysis, study: str) -> StudyAnalysis:
    """The rows and arms of one study of a comparison."""
    table = findings.table[findings.table[STUDY] == study]
    arms = tuple(arm for arm in findings.info.arms if arm.label in set(table["arm"]))
    labels = [arm.label for arm in arms]
    return dataclasses.replace(
        findings,
        table=table,
        info=findings.info.with_arms(arms, reference=""),
        cells={label: findings.cells[label] for label in labels},
        summaries={label: findings.summaries[label] for label in labels},
    )
