"""Fairness check on temperatures: were losses with a temperature tried at the same ones?"""

from collections.abc import Iterator, Mapping

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.fairness.settings import values_text
from analysis.fairness.space import check_cells
from analysis.fairness.tried import Tried
from analysis.model.info import ArmInfo

_TITLE = "Temperatures"

#: Digits to which equivalent temperatures are equal: as many as texts show. Planned values are rounded.
_DIGITS = 3


def check_temperatures(tried: Tried) -> Iterator[Card]:
    """Whether losses whose hyperparameter acts as a temperature T, as in `exp(u.v / T)`, were tried at the same T.

    A kernel's scale counts by its equivalent temperature. The check on the space asks for equal widths and numbers of
    values; where that one fails, or where temperatures were drawn, this one says nothing.
    """
    tried = tried.compared
    found = _temperatures(tried)
    if len(found) < 2 or tried.info.drawn or tried.info.adaptive or check_cells(tried).level != PASS:
        return
    if len(set(found.values())) == 1:
        text = f"Every loss with a temperature was tried at {values_text(found[next(iter(found))])}."
        yield Card(level=PASS, title=_TITLE, text=text)
        return
    line = tried.told("temperature", found)
    if any(len(values) > 1 for values in found.values()):
        text = (
            "Losses whose hyperparameter acts as a temperature were tried at different ones, so averages over the "
            f"ranges are at different temperatures; {line}."
        )
        yield Card(level=WARN, title="Temperatures differ", text=text, line=line)
        return
    text = (
        f"Each loss was tried at one temperature, and not at the same; {line}. A difference may come from the "
        "temperature alone."
    )
    losses = tuple(sorted(set(tried.unlike(found))))
    yield Card(level=FAIL, title="Temperatures differ", text=text, line=line, losses=losses)


def _temperatures(tried: Tried) -> Mapping[str, tuple[float, ...]]:
    """The equivalent temperatures of each loss that has one, by label of the whole arm."""
    found: dict[str, set[float]] = {}
    for arm in tried.info.arms:
        if (values := _of(arm, tried)) is not None:
            found.setdefault(arm.whole_label, set()).update(values)
    return {label: tuple(sorted(values)) for label, values in found.items()}


def _of(arm: ArmInfo, tried: Tried) -> list[float] | None:
    """The temperatures of an arm; None without one, or where a value is no number above 0."""
    axis = next((axis for axis in arm.axes if axis.meaning.law), None)
    if axis is None or axis.name not in tried.table.columns:
        return None
    column = tried.table.loc[tried.table["arm"] == arm.label, axis.name].drop_duplicates()
    column = column if axis.default is None else column.fillna(axis.default)
    if column.dtype.kind not in "iuf" or not len(column) or not (column > 0).all():
        return None
    values = column.to_numpy(float)
    return [float(f"{value:.{_DIGITS}g}") for value in axis.meaning.temperatures(values)]
