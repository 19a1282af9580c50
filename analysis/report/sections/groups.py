"""The order of a page: what is open, and what is folded under a heading that says what it answers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from analysis.report.sections.content import Content

#: Headings of folded groups, each with its sections in order. Sections that no group names are open, before them.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Where do losses differ, and how good is the rest of the ranges?",
        ("good_space", "differences", "curves", "steps", "rank"),
    ),
    ("How much does tuning gain?", ("scores", "tuning", "transfer", "search")),
    ("Which hyperparameter matters?", ("hyperparameters", "correlations", "stability")),
    (
        "Can I trust this?",
        (
            "fairness",
            "failures",
            "studies",
            "methods",
            "columns",
            "names",
            "environment",
            "study",
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Sections under one heading; without a heading they are open."""

    heading: str
    sections: Mapping[str, Content]  # by anchor


def grouped(sections: Mapping[str, Content], lacking: Collection[str]) -> list[Group]:
    """The open sections, then the groups. On a page of several data sets, each of them is a group.

    Sections in `lacking` are left out.
    """
    shown = {name: content for name, content in sections.items() if name not in lacking}
    common = {name: content for name, content in shown.items() if not content.data_set}
    groups = [Group(heading="", sections=_open(common))]
    for heading, names in GROUPS:
        groups.append(
            Group(heading=heading, sections={name: common[name] for name in names if name in common})
        )
    for data_set in dict.fromkeys(content.data_set for content in shown.values() if content.data_set):
        own = {name: content for name, content in shown.items() if content.data_set == data_set}
        groups.append(Group(heading=data_set, sections=own))
    return [group for group in groups if group.sections]


def _open(sections: Mapping[str, Content]) -> dict[str, Content]:
    folded = {name for _, names in GROUPS for name in names}
    return {name: content for name, content in sections.items() if name not in folded}
