"""The verdict of a report on several data sets: how each loss stands on each of them."""

from collections.abc import Mapping, Sequence

from analysis.data_sets import DataSetsAnalysis
from analysis.fairness.card import FAIL
from analysis.fairness.studies import study_cards
from analysis.names import visible
from analysis.report.sections.content import TEXT, Cell, ShownTable, table
from analysis.report.verdict import (
    Verdict,
    failed_sentence,
    failed_sentences,
    maxima_sentences,
    study_verdict,
)
from analysis.report.verdict_conditions import ERROR, RESOLUTION, TOLERANCE, any_decided, conditions
from analysis.report.verdict_null_control import other_ground
from analysis.report.verdict_over_sets import over_sets_sentences
from analysis.report.verdict_table import price_cell, standing_words, tone_of
from analysis.statistics.comparisons.decisions import NOT_TUNING
from analysis.study_analysis import StudyAnalysis
from analysis.wording import NONE, counted, listing, opened

#: Up to this number of data sets, each has a column and is named in the answer.
_FEW = 8
#: Up to this number of different texts, a condition tells each of them with its data sets.
_TEXTS = 3


def data_sets_verdict(environments: DataSetsAnalysis) -> Verdict:
    """One sentence for each loss, and a table of losses and data sets."""
    if environments.only is not None:
        return study_verdict(environments.only)
    found = environments.findings
    incomplete = [name for name, item in found.items() if not item.complete]
    progress = [f"Provisional: trials are missing on {_sets(incomplete)}."] if incomplete else []
    decided = {name: item for name, item in found.items() if item.decisions is not None and item.any_finished}
    answers = over_sets_sentences(environments) or _each(found)
    few = decided and len(found) <= _FEW
    return Verdict(
        answer=tuple(answers),
        before=(*progress, *_maxima(found)),
        failed=tuple(failed_on_data_sets(environments)),
        table=_table(environments, decided) if few else None,
        conditions=_conditions(environments, decided),
    )


def _maxima(found: Mapping[str, StudyAnalysis]) -> list[str]:
    """That scores are maxima over epochs on test data, with the data sets where not all have such scores."""
    sets: dict[str, list[str]] = {}
    for name, findings in found.items():
        for text in maxima_sentences(findings):
            sets.setdefault(text, []).append(name)
    return [text if len(names) == len(found) else f"{_where(names)}: {text}" for text, names in sets.items()]


def failed_on_data_sets(environments: DataSetsAnalysis) -> list[str]:
    """A sentence for each failed check: of the comparison of studies, then of single data sets."""
    cards = study_cards(environments.info, environments.table, data_apart=True)
    names: dict[str, list[str]] = {}
    for name, findings in environments.findings.items():
        for text in failed_sentences(findings):
            names.setdefault(text, []).append(name)
    return [
        *(failed_sentence(card) for card in cards if card.level == FAIL),
        *(f"{_where(found)}: {text}" for text, found in names.items()),
    ]


def _each(found: Mapping[str, StudyAnalysis]) -> list[str]:
    """The first sentence of the answer on each of few data sets, or the sentence that all have."""
    told = {visible(name): study_verdict(item).answer[0] for name, item in found.items()}
    same = list(dict.fromkeys(told.values()))
    return same if len(same) == 1 else [f"{name}: {text}" for name, text in list(told.items())[:_FEW]]


def _table(environments: DataSetsAnalysis, decided: Mapping[str, StudyAnalysis]) -> ShownTable:
    """How each loss stands on each data set, with the difference in the price of not tuning."""
    titles = {name: f"{visible(name)}{_against(environments, name)}" for name in decided}
    columns = [(opened(environments.info.loss_words), TEXT), *((titles[name], TEXT) for name in decided)]
    apart = {name: other_ground(findings) for name, findings in decided.items()}
    rows = [
        [
            environments.name_of(loss),
            *(_cell(findings, loss, apart=loss in apart[name]) for name, findings in decided.items()),
        ]
        for loss in environments.losses
    ]
    unit = environments.info.metric.difference_unit
    reasons = _withheld_words(decided)
    name, without = environments.name_of(environments.reference), environments.without_reference
    lacking = f" {_where(without)} {'lacks' if len(without) == 1 else 'lack'} {name}." if without else ""
    note = (
        "How robust each loss is on each data set, and its price of not tuning (tuned minus average over the "
        f"ranges) minus that of the reference, in {unit}. Less is better. Each data set is decided by "
        f"itself. The reference and null controls have their own price.{lacking}{reasons}"
    )
    return table(columns, rows, note=note)


def _against(environments: DataSetsAnalysis, name: str) -> str:
    """The reference of a data set that lacks that of the study."""
    decisions = environments.findings[name].decisions
    if name not in environments.without_reference or decisions is None:
        return ""
    return f", against {environments.name_of(decisions.reference)}"


def _withheld_words(decided: Mapping[str, StudyAnalysis]) -> str:
    """Why verdicts on robustness are withheld, each reason with its data sets; empty where none is."""
    sets: dict[str, list[str]] = {}
    for name, findings in decided.items():
        items = findings.decisions.items if findings.decisions is not None else ()
        for reason in dict.fromkeys(item.reason for item in items if item.question == NOT_TUNING):
            if reason:
                sets.setdefault(reason.rstrip("."), []).append(visible(name))
    told = [f"on {_where(names)} ({reason})" for reason, names in sets.items()]
    return f" Withheld: {'; '.join(told)}." if told else ""


def _cell(findings: StudyAnalysis, loss: str, *, apart: bool) -> Cell:
    """How a loss stands on one data set; `apart` from the losses that are compared, it has no price."""
    decisions = findings.decisions
    if decisions is None or loss not in decisions.values:
        return Cell(text=NONE)
    word = standing_words(decisions, loss)
    price = Cell(text=NONE) if apart else price_cell(findings, decisions, loss)
    return Cell(text=f"{word} {price.text}", below=price.below, sort=price.sort, tone=tone_of(word))


def _conditions(environments: DataSetsAnalysis, decided: Mapping[str, StudyAnalysis]) -> tuple[str, ...]:
    """The conditions of each data set; those that differ name their data sets, or say that they differ.

    The resolution is one of a single data set, so it has no place here.
    """
    by_set = {visible(name): conditions(item) for name, item in decided.items()}
    kinds = dict.fromkeys(kind for found in by_set.values() for kind in found if kind != RESOLUTION)
    told = [
        ("" if kind != ERROR else _error(decided))
        or _condition(
            {
                name: found.get(kind, "")
                for name, found in by_set.items()
                if kind in found or kind != TOLERANCE
            }
        )
        for kind in kinds
    ]
    differ = sum(not text for text in told)
    more = (
        [f"{counted(differ, 'more condition')} that differ{'s' * (differ == 1)} by data set"]
        if differ
        else []
    )
    shown = [*filter(None, told), *more]
    return (f"On each data set: {shown[0]}", *shown[1:]) if shown else ()


def _error(decided: Mapping[str, StudyAnalysis]) -> str:
    """The chance of error where it is the same on all data sets, whatever their numbers of decisions are."""
    told = {
        f"{100 * item.decisions.error:.2g}"
        for item in decided.values()
        if item.decisions is not None and any_decided(item.decisions)
    }
    return f"nominal {told.pop()} % chance of any wrong decision" if len(told) == 1 else ""


def _condition(texts: Mapping[str, str]) -> str:
    """One condition by data set, as one text; empty where it has more than a few."""
    names: dict[str, list[str]] = {}
    for name, text in texts.items():
        if text:
            names.setdefault(text, []).append(name)
    if len(names) == 1 and all(texts.values()):
        return next(iter(names))
    if len(names) > _TEXTS or len(texts) > _FEW:
        return ""
    return "; ".join(f"{text} on {listing(found)}" for text, found in names.items())


def _where(names: Sequence[str]) -> str:
    return listing(names) if len(names) <= _FEW else counted(len(names), "data set")


def _sets(names: Sequence[str]) -> str:
    """A text such as `2 (cifar10 and stl10)`, without names for many data sets."""
    return f"{len(names)} ({listing(names)})" if len(names) <= _FEW else str(len(names))
