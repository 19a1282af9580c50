"""Fairness check on the evaluation in a table: was every encoder frozen?

Encoders are usually frozen, and then nothing tells so. The check gives a card only where a column tells otherwise.
Trials of this package always freeze the encoder.
"""

from collections.abc import Iterator

from analysis.fairness.card import FAIL, WARN, Card
from analysis.fairness.tried import Tried
from analysis.model.info import TRAINS_ENCODER
from analysis.wording import listing


def check_encoders(tried: Tried) -> Iterator[Card]:
    """Whether every encoder was frozen when it was evaluated."""
    trained = _trained(tried)
    if not any(trained.values()):
        return
    columns = dict.fromkeys(
        name
        for info, _ in tried.by_study()
        for each in info.columns
        if each.role == TRAINS_ENCODER
        for name in each.columns
    )
    line = tried.told("labels train the encoder", {loss: (each,) for loss, each in trained.items()})
    says = f"By {'column' if len(columns) == 1 else 'columns'} {listing(list(columns))}, "
    text = (
        f"{says}labels train the encoder in the evaluation. The scores are those of fine-tuning, not of the "
        "representation that the losses learnt"
    )
    if len(set(trained.values())) == 1:
        yield Card(level=WARN, title="Encoder not frozen", text=f"{text}.")
        return
    yield Card(
        level=FAIL,
        title="Encoder not frozen for every loss",
        text=f"{text}, and they do not compare with those of frozen encoders; {line}.",
        line=line,
        losses=tuple(sorted(tried.unlike(trained))),
    )


def _trained(tried: Tried) -> dict[str, bool]:
    """Whether a table says that labels train the encoder, by label of the whole arm."""
    found: dict[str, bool] = {}
    for info, rows in tried.by_study():
        told = [each.by_loss for each in info.columns if each.role == TRAINS_ENCODER]
        for label, losses in rows["loss"].groupby(tried.wholes[rows.index], sort=False):
            names = losses.unique()
            found[str(label)] = any(by_loss.get(str(loss), False) for by_loss in told for loss in names)
    return found
