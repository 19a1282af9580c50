"""Fairness check on the evaluated epoch: do test images choose it?"""

from analysis.fairness.card import PASS, WARN, Card
from analysis.fairness.tried import Tried
from analysis.wording import listing

_COLUMN, _BEST_TEST = "hp_evaluated_epoch", "best_test"


def check_epochs(tried: Tried) -> Card:
    """Whether scores are those of the epoch that is best on the test images."""
    if text := maxima_words(tried):
        return Card(level=WARN, title="Maxima over epochs", text=text)
    text = "No test image chooses the epoch that is evaluated, as far as the trials tell."
    return Card(level=PASS, title="Evaluated epoch", text=text)


def maxima_words(tried: Tried) -> str:
    """That scores are maxima over epochs on test data, and of which losses where not of all; "" if none are."""
    values = tried.by_loss(_COLUMN)
    losses = [tried.names.get(label, label) for label, found in values.items() if _BEST_TEST in found]
    if not losses:
        return ""
    whose = "The scores" if len(losses) == len(tried.names) else f"The scores of {listing(losses)}"
    return (
        f"{whose} are maxima over epochs on test data: a trial is evaluated at the epoch that has the best "
        "nearest-neighbour accuracy on the test images. They are too high, and compare with such maxima only."
    )
