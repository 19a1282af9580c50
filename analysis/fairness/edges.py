"""Fairness check on the optimum: does it lie inside the space?"""

from analysis.fairness.card import PASS, WARN, Card
from analysis.model.cells import Axis, Cells
from analysis.study_analysis import StudyAnalysis
from analysis.wording import listing, number, opened

#: An end of an axis is reported from this share of held-out choices on.
_EDGE_SHARE = 0.25


def check_edges(findings: StudyAnalysis) -> Card:
    """Whether the best lies inside the space, or that nothing may be chosen."""
    if reason := findings.info.metric.no_choice:
        text = f"{opened(reason)}: there are no tuned scores, and test scores must not choose."
        return Card(level=WARN, title="Nothing selected", text=text)
    places: dict[str, list[str]] = {}
    for label in findings.cells:
        for place in _edges_hit(findings, label):
            places.setdefault(place, []).append(findings.info.arm(label).name)
    often = [text for label in findings.cells if (text := _often_edges(findings, label))]
    told = "; ".join(f"{place} ({listing(names)})" for place, names in places.items())
    tuned = f"Tuned configurations lie at the end of an axis, so a better one may lie beyond it: {told}."
    by_one = f"Choices by single seeds lie there often, so the optimum may: {'; '.join(often)}."
    texts = [text for text, found in ((tuned, places), (by_one, often)) if found]
    if not texts:
        text = "No tuned configuration lies on the edge of its axes, and choices by single seeds seldom do."
        return Card(level=PASS, title="Optimum inside", text=text)
    title = "Optimum on the edge" if places else "Optimum near the edge"
    return Card(level=WARN, title=title, text=" ".join(texts))


def _edges_hit(findings: StudyAnalysis, label: str) -> list[str]:
    cells, tuned = findings.cells[label], findings.summaries[label].tuned
    if not findings.summaries[label].finished:
        return []
    return [f"{axis.info.words} {number(end)}" for axis, end in _ends(cells) if tuned.place[axis.name] == end]


def _often_edges(findings: StudyAnalysis, label: str) -> str:
    """A text such as `InfoNCE 2 of 5 at temperature 1`, on ends of axes that many single seeds choose.

    Ends at which the tuned configuration lies are not included.
    """
    cells, tuned = findings.cells[label], findings.summaries[label].tuned
    chosen = [cells.place(cell) for cell in tuned.selected if cell is not None]
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
