"""Fairness check on the evaluated epoch: do test images choose it?

The column of the evaluated epoch says so. A table without it may say so by the name of its metric.
"""

from analysis.fairness.card import PASS, WARN, Card
from analysis.fairness.tried import Tried
from analysis.tables.evaluation_words import is_best_epoch, names_test
from analysis.wording import listing

_COLUMN, _BEST_TEST = "hp_evaluated_epoch", "best_test"


def check_epochs(tried: Tried) -> Card:
    """Whether scores are those of the epoch that is best on the test images."""
    if text := maxima_words(tried):
        return Card(level=WARN, title="Maxima over epochs", text=text)
    text = "No test image chooses the epoch that is evaluated, as far as the trials tell."
    return Card(level=PASS, title="Evaluated epoch", text=text)


def maxima_words(tried: Tried) -> str:
    """That scores are maxima over epochs on test data, and of which losses where not of all; "" if none are.

    The column of the evaluated epoch decides. Without it, the name of a table's metric does.
    """
    return " ".join(filter(None, (_by_column(tried), _by_name(tried))))


def _by_column(tried: Tried) -> str:
    values = tried.by_loss(_COLUMN)
    losses = [tried.names.get(label, label) for label, found in values.items() if _BEST_TEST in found]
    if not losses:
        return ""
    whose = "The scores" if len(losses) == len(tried.names) else f"The scores of {listing(losses)}"
    return (
        f"{whose} are maxima over epochs on test data: a trial is evaluated at the epoch that has the best "
        "nearest-neighbour accuracy on the test images. They are too high, and compare with such maxima only."
    )


def _by_name(tried: Tried) -> str:
    columns = [
        info.metric.reporting_column
        for info, rows in tried.by_study()
        if info.imported and rows[_COLUMN].isna().all()
    ]
    named = [name for name in dict.fromkeys(columns) if is_best_epoch(name)]
    if not named:
        return ""
    data = "on test data" if any(map(names_test, named)) else "on data that it does not name"
    return (
        f"By its name, {listing(named)} is the best over epochs {data}. If test data chose the epoch, scores are too "
        "high, and a loss whose accuracy varies more from epoch to epoch gains more."
    )
