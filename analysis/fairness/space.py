"""Fairness checks on the space: were the losses tried at the same places and seeds?"""

import numpy as np

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.fairness.settings import ordered
from analysis.fairness.tried import Tried
from analysis.model.weights import log_width
from analysis.statistics.intervals.jackknife import LEAST_SEEDS
from analysis.wording import counted, listing, number


def check_cells(tried: Tried) -> Card:
    """Whether losses were tried at the same places in spaces of equal width, or searched with the same budget."""
    controls, tried = _narrow_controls(tried), tried.compared
    if tried.info.adaptive:
        return _check_budgets(tried)
    xs, mains = ([cells.axes[index].values for cells in tried.cells.values()] for index in (0, 1))
    for index, differ in ((0, _differ(tried, 0) and not tried.info.drawn), (1, _misses_levels(tried))):
        if differ:
            values, name = _values(tried, index), tried.info.reference_arm.axes[index].words
            text = (
                f"The losses were tried at different values of {name} ({_spans(tried, index)}), so averages over the "
                "space are of different spaces."
            )
            return Card(
                level=FAIL,
                title="Space",
                text=text,
                line=tried.told(name, values),
                losses=tried.unlike(values),
            )
    if one_value := _tried_at_one_value(tried):
        line = (
            f"values of temperature, kernel scale or another hyperparameter of the loss: {_spans(tried, 1)}"
        )
        return Card(
            level=FAIL,
            title="Space",
            text=f"Averages over the space are of different spaces; {line}.",
            line=line,
            losses=one_value,
        )
    shapes = {len(values) for values in mains}
    widths = {round(log_width(values), 6) for values in mains}
    if len(shapes) > 1 or len(widths) > 1:
        text = (
            "Temperatures or kernel scales are not alike in number or in span, so scores over the space are "
            f"not quite commensurate: {_spans(tried, 1)}."
        )
        return Card(level=WARN, title="Space", text=text, line=f"unequal ranges: {_spans(tried, 1)}")
    text = (
        f"Every loss was tried at the same {counted(len(xs[0]), tried.info.x.words)} and at "
        f"{_span(mains[0])} of its temperature, kernel scale or other main hyperparameter."
    )
    if controls:
        names = listing(controls)
        text += f" The null control {names} was tried at some of these places only, and is compared at these."
    return Card(level=PASS, title="Space", text=text)


def _tried_at_one_value(tried: Tried) -> tuple[str, ...]:
    """Whole arms with one value of their main axis where the reference has several, or the other way round.

    With one value, nothing of the loss itself can be tuned: its price of not tuning is that of the shared axes.
    """
    if tried.info.drawn:
        return ()
    several = {label: len(values) > 1 for label, values in _values(tried, 1).items()}
    return tried.unlike(several) if len(set(several.values())) > 1 else ()


def _narrow_controls(tried: Tried) -> list[str]:
    """Names of null controls, but not the reference, with fewer configurations than the loss that they repeat."""
    size = {label: len(cells.codes) for label, cells in tried.cells.items()}
    reference = tried.info.reference_arm.label
    pairs = [pair for pair in tried.info.null_controls if set(pair) <= set(size)]
    narrow = [
        one
        for pair in pairs
        for one, other in (pair, pair[::-1])
        if size[one] < size[other] and one != reference
    ]
    return [tried.info.arm(label).name for label in dict.fromkeys(narrow)]


def _values(tried: Tried, index: int) -> dict[str, tuple]:
    """The values of the x axis (0) or the main axis (1), by label of the whole arm."""
    found: dict[str, list] = {}
    for label, cells in tried.cells.items():
        found.setdefault(tried.info.arm(label).whole_label, []).extend(cells.axes[index].values.tolist())
    return {label: ordered(values) for label, values in found.items()}


def _differ(tried: Tried, index: int) -> bool:
    return len({tuple(cells.axes[index].values) for cells in tried.cells.values()}) > 1


def _misses_levels(tried: Tried) -> bool:
    """Whether losses share their main axis, and some lack a part of it that others have.

    In a study file, each loss has a range of its own on purpose, and one of equal width elsewhere on the axis is
    fair. In an imported table, the values have to be the same.
    """
    if tried.info.drawn:
        return False
    axes = [cells.axes[1] for cells in tried.cells.values()]
    if len({axis.name for axis in axes}) > 1 or not _differ(tried, 1):
        return False
    sizes = {(len(axis.values), round(log_width(axis.values), 6)) for axis in axes if axis.numeric}
    return tried.info.imported or len(sizes) != 1


def _check_budgets(tried: Tried) -> Card:
    budgets: dict[str, int] = {}
    for label, cells in tried.cells.items():
        whole = tried.info.arm(label).whole_label
        budgets[whole] = budgets.get(whole, 0) + len(cells.codes)
    if len(set(budgets.values())) > 1:
        line = tried.told("configurations tried", {label: (count,) for label, count in budgets.items()})
        text = f"The searches differ in budget; {line}."
        return Card(
            level=FAIL, title="Budget of the searches", text=text, line=line, losses=tried.unlike(budgets)
        )
    text = f"Every loss was searched over {counted(max(budgets.values(), default=0), 'configuration')}."
    return Card(level=PASS, title="Budget of the searches", text=text)


def _spans(tried: Tried, index: int) -> str:
    groups: dict[str, list[str]] = {}
    for label, cells in tried.cells.items():
        groups.setdefault(_span(cells.axes[index].values), []).append(tried.info.arm(label).name)
    return "; ".join(f"{listing(names)} {span}" for span, names in groups.items())


def _span(values: np.ndarray) -> str:
    """A text such as `5 values over a factor of 64`; an axis that is not positive has a range instead of a factor.

    Categories and a single value have no span.
    """
    if len(values) < 2 or values.dtype.kind != "f":
        return counted(len(values), "value")
    positive = bool(np.all(values > 0))
    width = log_width(values)
    reach = f"a factor of {number(np.exp(width))}" if positive else f"a range of {number(width)}"
    return f"{counted(len(values), 'value')} over {reach}"


def check_seeds(tried: Tried) -> Card:
    """Whether the losses ran on the same seeds, on enough seeds, and to the end."""
    tried = tried.compared
    own = {
        tried.info.arm(label).whole_label: ordered(cells.seeds.tolist())
        for label, cells in tried.cells.items()
    }
    if len(set(own.values())) > 1:
        line = tried.told("seeds", own)
        text = f"The losses ran on different seeds: {line}."
        sizes, all_seeds = (
            {len(each) for each in own.values()},
            [seed for each in own.values() for seed in each],
        )
        if len(sizes) == 1 and len(set(all_seeds)) == len(all_seeds) and len(own) > 1:
            text = f"The losses ran on seeds of their own, {sizes.pop()} each, so comparisons are not paired: {line}."
            return Card(level=WARN, title="Seeds not paired", text=text)
        return Card(level=FAIL, title="Seeds", text=text, line=line, losses=tried.unlike(own))
    seeds = max(map(len, own.values()), default=0)
    if seeds < 2:
        return Card(
            level=WARN, title="One seed", text="Every loss ran on one seed: nothing tells luck from skill."
        )
    few = (
        f" So few make wide intervals; shares of the ranges need {LEAST_SEEDS} seeds for one."
        if seeds < LEAST_SEEDS
        else ""
    )
    if not tried.info.adaptive and any(cells.missing.any() for cells in tried.cells.values()):
        return Card(level=WARN, title="Seeds unfinished", text=_unfinished(tried, seeds) + few)
    text = f"Every loss ran on the same {counted(seeds, 'seed')}, so comparisons are paired."
    return Card(level=WARN if few else PASS, title="Few seeds" if few else "Seeds", text=text + few)


def _unfinished(tried: Tried, seeds: int) -> str:
    ended = np.stack([~cells.missing.any(axis=0) for cells in tried.cells.values()]).all(axis=0)
    return (
        f"Every loss is planned on the same {counted(seeds, 'seed')}; for {int(ended.sum()) or 'none'} of them "
        "all trials of all losses have ended."
    )
