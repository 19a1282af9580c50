"""Were the losses tried at the same places, and is the best inside?"""

import numpy as np

from analysis.cells import DRAWN
from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.findings import Findings
from analysis.statistics.intervals_extremes import MIN_SEEDS_EXTREMES
from analysis.statistics.measure import log_width
from analysis.wording import counted, listing, number


def check_cells(findings: Findings) -> Card:
    """Whether the losses were tried at the same places of spaces of one width, or searched with one budget."""
    if findings.adaptive:
        return _check_budgets(findings)
    xs, mains = ([cells.axes[index].values for cells in findings.cells.values()] for index in (0, 1))
    if len({tuple(values) for values in xs}) > 1 and findings.info.design not in DRAWN:
        name = findings.info.x.words
        return Card(level=FAIL, title="Space", text=f"The losses were tried at different values of {name}.")
    shapes = {len(values) for values in mains}
    widths = {round(log_width(values), 6) for values in mains}
    if len(shapes) > 1 or len(widths) > 1:
        text = (
            "Temperatures or kernel scales are not alike in number or in span, so scores over the space are "
            f"not quite commensurate: {_spans(findings)}."
        )
        return Card(level=WARN, title="Space", text=text)
    text = (
        f"Every loss was tried at the same {counted(len(xs[0]), 'batch size')} and at "
        f"{_span(mains[0])} of its temperature, kernel scale or other main hyperparameter."
    )
    return Card(level=PASS, title="Space", text=text)


def _check_budgets(findings: Findings) -> Card:
    budgets = {findings.info.arm(label).name: len(cells.codes) for label, cells in findings.cells.items()}
    if len(set(budgets.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in budgets.items())
        text = f"The searches tried different numbers of configurations: {told}."
        return Card(level=FAIL, title="Budget of the searches", text=text)
    text = f"Every loss was searched over {counted(next(iter(budgets.values())), 'configuration')}."
    return Card(level=PASS, title="Budget of the searches", text=text)


def _spans(findings: Findings) -> str:
    groups: dict[str, list[str]] = {}
    for label, cells in findings.cells.items():
        groups.setdefault(_span(cells.axes[1].values), []).append(findings.info.arm(label).name)
    return "; ".join(f"{listing(names)} {span}" for span, names in groups.items())


def _span(values: np.ndarray) -> str:
    """As `5 values over a factor of 64`; an axis that is not positive has a range instead of a factor."""
    if len(values) < 2:
        return counted(len(values), "value")
    positive = bool(np.all(values > 0))
    width = log_width(values)
    reach = f"a factor of {number(np.exp(width))}" if positive else f"a range of {number(width)}"
    return f"{counted(len(values), 'value')} over {reach}"


def check_seeds(findings: Findings) -> Card:
    """Whether the losses ran on the same seeds, and on enough of them."""
    sets = {tuple(cells.seeds) for cells in findings.cells.values()}
    if len(sets) > 1:
        text = "The losses ran on different seeds; comparisons use the shared ones."
        return Card(level=FAIL, title="Seeds", text=text)
    seeds = len(next(iter(sets)))
    text = f"Every loss ran on the same {counted(seeds, 'seed')}, so comparisons are paired."
    if seeds >= MIN_SEEDS_EXTREMES:
        return Card(level=PASS, title="Seeds", text=text)
    if seeds < 2:
        return Card(
            level=FAIL, title="One seed", text="Every loss ran on one seed: nothing tells luck from skill."
        )
    few = (
        f"So few make wide intervals; the worst tenth and the share near the best need {MIN_SEEDS_EXTREMES} "
        "seeds for one."
    )
    return Card(level=WARN, title="Few seeds", text=f"{text} {few}")


def check_edges(findings: Findings) -> Card:
    """Whether the best lies inside the space."""
    places: dict[str, list[str]] = {}
    for label in findings.cells:
        for place in _edges_hit(findings, label):
            places.setdefault(place, []).append(findings.info.arm(label).name)
    if not places:
        return Card(
            level=PASS, title="Optimum inside", text="No tuned configuration lies on the edge of its axes."
        )
    told = "; ".join(f"{place} ({listing(names)})" for place, names in places.items())
    text = f"Tuned configurations lie at the end of an axis, so a better one may lie beyond it: {told}."
    return Card(level=WARN, title="Optimum on the edge", text=text)


def _edges_hit(findings: Findings, label: str) -> list[str]:
    cells, tuned = findings.cells[label], findings.summaries[label].tuned
    if not findings.summaries[label].finished:
        return []
    return [
        f"{axis.info.words} {number(tuned.place[axis.name])}"
        for axis in cells.axes
        if axis.numeric and len(axis.values) > 1 and tuned.place[axis.name] in axis.values[[0, -1]]
    ]
