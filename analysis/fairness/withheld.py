"""Cards on what was tried, and which comparisons of losses they withhold.

They need no results, so decisions can be made with them. In a comparison of several studies, what losses should have
in common is asked within each study, and what studies should have in common in `analysis.fairness.studies`.
"""

import dataclasses
from collections.abc import Callable, Iterator

from analysis.fairness.batch_sizes import check_rate_scaling, check_steps
from analysis.fairness.card import FAIL, PASS, Card
from analysis.fairness.epochs import check_epochs
from analysis.fairness.evaluation import check_encoders
from analysis.fairness.protocol import (
    NOT_RECORDED,
    check_between,
    check_budget,
    check_code,
    check_hardware,
    check_precision,
    check_protocol,
)
from analysis.fairness.rates import check_learning_rates
from analysis.fairness.space import check_cells, check_seeds
from analysis.fairness.studies import study_cards
from analysis.fairness.temperatures import check_temperatures
from analysis.fairness.tried import Tried
from analysis.fairness.worst_outcome import check_worst_outcome

#: What all losses of one study should have in common.
_WITHIN_A_STUDY: tuple[Callable[[Tried], Card], ...] = (
    check_cells,
    check_seeds,
    check_worst_outcome,
    check_budget,
    check_protocol,
    check_epochs,
    check_precision,
    check_hardware,
    check_code,
)
_OVER_ALL: tuple[Callable[[Tried], Card], ...] = (check_learning_rates, check_steps, check_between)
#: Questions that arise in some studies only: no card where there is nothing to say.
_WHERE_TOLD: tuple[Callable[[Tried], Iterator[Card]], ...] = (check_rate_scaling, check_encoders)


def settings_cards(tried: Tried) -> Iterator[Card]:
    """The cards on what was tried. In a comparison of studies, checks within a study that pass have no card."""
    yield from (check(tried) for check in _OVER_ALL)
    for told in _WHERE_TOLD:
        yield from told(tried)
    if not tried.info.compared:
        yield from _within_a_study(tried)
        return
    yield from study_cards(tried.info, tried.table)
    for study, rows in tried.by_study():
        for card in _within_a_study(tried.only(list(rows["arm"].unique()))):
            if card.level != PASS and not card.title.endswith(NOT_RECORDED):  # the cards on studies say this
                yield dataclasses.replace(card, title=f"{card.title}, in {study.name}")


def _within_a_study(tried: Tried) -> Iterator[Card]:
    yield from (check(tried) for check in _WITHIN_A_STUDY)
    yield from check_temperatures(tried)


def withheld(tried: Tried) -> dict[str, str]:
    """Why comparisons with the reference are withheld, by label of the whole arm.

    A failed card withholds the comparisons of the losses that it names.
    """
    reasons: dict[str, list[str]] = {}
    reference = tried.info.reference_arm.whole_label
    for card in settings_cards(tried):
        for loss in card.losses if card.level == FAIL else ():
            if loss != reference:
                reasons.setdefault(loss, []).append(card.short.rstrip("."))
    return {loss: "; ".join(dict.fromkeys(texts)) for loss, texts in reasons.items()}
