"""Fairness checks on the space: were the losses tried at the same places, and is the best one inside?"""

import numpy as np

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.model.cells import Axis, Cells
from analysis.model.weights import log_width
from analysis.statistics.intervals.extremes import MIN_SEEDS_EXTREMES
from analysis.study_analysis import StudyAnalysis
from analysis.wording import counted, listing, number

#: An end of an axis is reported from this share of held-out choices on.
_EDGE_SHARE = 0.25


def check_cells(findings: StudyAnalysis) -> Card:
    """Whether losses were tried at the same places in spaces of equal width, or searched with the same budget."""
    if findings.adaptive:
        return _check_budgets(findings)
    xs, mains = ([cells.axes[index].values for cells in findings.cells.values()] for index in (0, 1))
    if len({tuple(values) for values in xs}) > 1 and not findings.info.drawn:
        name = findings.info.x.words
        return Card(level=FAIL, title="Space", text=f"The losses were tried at different values of {name}.")
    if _misses_levels(findings):
        name = findings.info.arms[0].main.words
        text = (
            f"The losses were tried at different values of {name} ({_spans(findings)}), so averages over the space "
            "are of different spaces."
        )
        return Card(level=FAIL, title="Space", text=text)
    shapes = {len(values) for values in mains}
    widths = {round(log_width(values), 6) for values in mains}
    if len(shapes) > 1 or len(widths) > 1:
        text = (
            "Temperatures or kernel scales are not alike in number or in span, so scores over the space are "
            f"not quite commensurate: {_spans(findings)}."
        )
        return Card(level=WARN, title="Space", text=text)
    text = (
        f"Every loss was tried at the same {counted(len(xs[0]), findings.info.x.words)} and at "
        f"{_span(mains[0])} of its temperature, kernel scale or other main hyperparameter."
    )
    return Card(level=PASS, title="Space", text=text)


def _misses_levels(findings: StudyAnalysis) -> bool:
    """Whether losses of an imported table share their main axis, and some lack values that others have.

    In a study file, each loss has a range of its own on purpose.
    """
    if not findings.info.imported or findings.info.drawn:
        return False
    axes = [cells.axes[1] for cells in findings.cells.values()]
    return len({axis.name for axis in axes}) == 1 and len({tuple(axis.values) for axis in axes}) > 1


def _check_budgets(findings: StudyAnalysis) -> Card:
    budgets = {findings.info.arm(label).name: len(cells.codes) for label, cells in findings.cells.items()}
    if len(set(budgets.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in budgets.items())
        text = f"The searches tried different numbers of configurations: {told}."
        return Card(level=FAIL, title="Budget of the searches", text=text)
    text = f"Every loss was searched over {counted(next(iter(budgets.values())), 'configuration')}."
    return Card(level=PASS, title="Budget of the searches", text=text)


def _spans(findings: StudyAnalysis) -> str:
    groups: dict[str, list[str]] = {}
    for label, cells in findings.cells.items():
        groups.setdefault(_span(cells.axes[1].values), []).append(findings.info.arm(label).name)
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


def check_seeds(findings: StudyAnalysis) -> Card:
    """Whether the losses ran on the same seeds, on enough seeds, and to the end."""
    sets = {tuple(cells.seeds) for cells in findings.cells.values()}
    if len(sets) > 1:
        text = "The losses ran on different seeds; comparisons use the shared ones."
        return Card(level=FAIL, title="Seeds", text=text)
    seeds = len(next(iter(sets)))
    if seeds < 2:
        return Card(
            level=FAIL, title="One seed", text="Every loss ran on one seed: nothing tells luck from skill."
        )
    few = (
        f" So few make wide intervals; the worst tenth and the share near the best need {MIN_SEEDS_EXTREMES} "
        "seeds for one."
        if seeds < MIN_SEEDS_EXTREMES
        else ""
    )
    if not (findings.complete or findings.adaptive):
        return Card(level=WARN, title="Seeds unfinished", text=_unfinished(findings, seeds) + few)
    text = f"Every loss ran on the same {counted(seeds, 'seed')}, so comparisons are paired."
    return Card(level=WARN if few else PASS, title="Few seeds" if few else "Seeds", text=text + few)


def _unfinished(findings: StudyAnalysis, seeds: int) -> str:
    ended = np.stack([~cells.missing.any(axis=0) for cells in findings.cells.values()]).all(axis=0)
    return (
        f"Every loss is planned on the same {counted(seeds, 'seed')}; for {int(ended.sum()) or 'none'} of them "
        "all trials of all losses have ended."
    )


def check_edges(findings: StudyAnalysis) -> Card:
    """Whether the best lies inside the space."""
    places: dict[str, list[str]] = {}
    for label in findings.cells:
        for place in _edges_hit(findings, label):
            places.setdefault(place, []).append(findings.info.arm(label).name)
    often = [text for label in findings.cells if (text := _held_out_edges(findings, label))]
    told = "; ".join(f"{place} ({listing(names)})" for place, names in places.items())
    tuned = f"Tuned configurations lie at the end of an axis, so a better one may lie beyond it: {told}."
    held_out = f"Choices by half of the seeds lie there often, so the optimum may: {'; '.join(often)}."
    texts = [text for text, found in ((tuned, places), (held_out, often)) if found]
    if not texts:
        text = (
            "No tuned configuration lies on the edge of its axes, and choices by half of the seeds seldom do."
        )
        return Card(level=PASS, title="Optimum inside", text=text)
    title = "Optimum on the edge" if places else "Optimum near the edge"
    return Card(level=WARN, title=title, text=" ".join(texts))


def _edges_hit(findings: StudyAnalysis, label: str) -> list[str]:
    cells, tuned = findings.cells[label], findings.summaries[label].tuned
    if not findings.summaries[label].finished:
        return []
    return [f"{axis.info.words} {number(end)}" for axis, end in _ends(cells) if tuned.place[axis.name] == end]


def _held_out_edges(findings: StudyAnalysis, label: str) -> str:
    """A text such as `InfoNCE 2 of 5 at temperature 1`, on ends of axes that many held-out choices have.

    Ends at which the tuned configuration lies are not included.
    """
    cells, tuned = findings.cells[label], findings.summaries[label].tuned
    chosen = [cells.place(cell) for cell in tuned.held_out if cell is not None]
    told = []
    for axis, end in _ends(cells):
        count = sum(place[axis.name] == end for place in chosen)
        if count and count >= _EDGE_SHARE * len(chosen) and tuned.place[axis.name] != end:
            told.append(f"{count} of {len(chosen)} at {axis.info.words} {number(end)}")
    return f"{findings.info.arm(label).name} {listing(told)}" if told else ""


def _ends(cells: Cells) -> list[tuple[Axis, float]]:
    """Both ends of every numeric axis with more than one value."""
    axes = [axis for axis in cells.axes if axis.numeric and len(axis.values) > 1]
    return [(axis, end) for axis in axes for end in axis.values[[0, -1]].tolist()]
