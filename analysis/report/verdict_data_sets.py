"""The opening of a report on several data sets: counts of verdicts, comparisons of data sets, then each data set."""

from collections.abc import Mapping, Sequence

from analysis.data_sets import DataSetsAnalysis
from analysis.fairness.card import FAIL
from analysis.fairness.studies import study_cards
from analysis.report.verdict import (
    SCORES,
    failed_sentence,
    failed_sentences,
    many_sentences,
    result_sentences,
)
from analysis.statistics.comparisons.compare import BETTER, WORSE
from analysis.wording import Scale, counted, listing, opened

#: Up to this number of data sets, each has its sentence and is named in the counts.
_FEW = 8


def data_set_sentences(environments: DataSetsAnalysis, relations: Sequence[str]) -> list[str]:
    """The sentences, most important first; `relations` are those of the sections that compare data sets."""
    return [*failed_on_data_sets(environments), *_results(environments, relations)]


def short_data_set_sentences(environments: DataSetsAnalysis) -> list[str]:
    """The sentences for a terminal: all failed checks, and two of the others."""
    return [*failed_on_data_sets(environments), *_results(environments, [])[:2]]


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


def _results(environments: DataSetsAnalysis, relations: Sequence[str]) -> list[str]:
    incomplete = [name for name, item in environments.findings.items() if not item.complete]
    progress = [f"Provisional: trials are missing on {_sets(incomplete)}."] if incomplete else []
    counts = _all_counts(environments)
    if len(environments.findings) > _FEW:
        return [*progress, *counts, *relations]
    own = [f"{name}: {result_sentences(item)[0]}" for name, item in environments.findings.items()]
    return [*progress, *counts, *relations, *own]


def _all_counts(environments: DataSetsAnalysis) -> list[str]:
    """The counts of every score, or a sentence that there are too many losses."""
    many = [text for findings in environments.findings.values() for text in many_sentences(findings)]
    if many:
        return many[:1]
    return [text for score in environments.info.scores if (text := _counts(environments, score))]


def _counts(environments: DataSetsAnalysis, score: str) -> str:
    """On how many data sets each loss is better or worse than the reference, and by how much."""
    metric = environments.info.metric
    scale = Scale(metric)
    verdicts: dict[str, dict[str, dict[str, list[str]]]] = {}  # of a reference, of an arm
    for name, findings in environments.findings.items():
        for item in (each for each in findings.comparisons if each.score == score):
            arm, reference = findings.info.arm(item.arm).name, findings.info.arm(item.reference).name
            verdicts.setdefault(reference, {}).setdefault(arm, {}).setdefault(item.verdict, []).append(
                f"{name} {scale.gap(item.difference.value)}" if item.verdict in (BETTER, WORSE) else name
            )
    words = SCORES[score][0].format(environments.info.metric.noun)
    over = f"over {counted(len(environments.findings), 'data set')}, in {metric.difference_unit}"
    return " ".join(
        f"{opened(words)} compared with {reference}, {over}: "
        f"{'; '.join(f'{arm} {_told(found)}' for arm, found in arms.items())}."
        for reference, arms in verdicts.items()
    )


def _told(found: Mapping[str, Sequence[str]]) -> str:
    """A text such as `better on 2 (a +1.2 and b +0.8) and not decided on 1`."""
    decided = [f"{verdict} on {_sets(found[verdict])}" for verdict in (BETTER, WORSE) if verdict in found]
    rest = sum(len(names) for verdict, names in found.items() if verdict not in (BETTER, WORSE))
    return listing([*decided, *([f"not decided on {rest}"] if rest else [])])


def _where(names: Sequence[str]) -> str:
    return listing(names) if len(names) <= _FEW else counted(len(names), "data set")


def _sets(names: Sequence[str]) -> str:
    """A text such as `2 (cifar10 and stl10)`, without names for many data sets."""
    return f"{len(names)} ({listing(names)})" if len(names) <= _FEW else str(len(names))
