"""Decides which columns of a table are hyperparameters, from their names and from the design that the rows show.

A hyperparameter has one value for all seeds of a configuration. A column that changes from seed to seed while the
hyperparameters stay the same is an outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.tables.usual_names import (
    BATCH_SIZES,
    BUDGETS,
    CURVE_STEPS,
    is_hyperparameter,
    plain,
    question,
)
from trainables.suggestion import first_names

#: Largest number of distinct values of a column that is guessed to be a hyperparameter.
_MOST_VALUES = 200
#: Largest number of such columns that vary within one loss. More are probably a mistake.
_MOST_AXES = 8
_CHANGES = "changes from seed to seed"
#: A search has drawn a loss's points if it has at least so many, and this share of them has a value of its own.
_DRAWN_POINTS, _DRAWN_SHARE = 6, 0.9
#: From this ratio of deviation and mean on, the distances of neighbouring values are those of random points.
_UNEVEN = 0.5


@dataclass(frozen=True, kw_only=True)
class Found:
    """The hyperparameters among the columns, and what the other candidates are."""

    axes: tuple[str, ...]
    outcomes: dict[str, str] = field(default_factory=dict)  # column: why it is no hyperparameter
    #: By column: the hyperparameter that it is a function of.
    follows: dict[str, str] = field(default_factory=dict)
    between: tuple[str, ...] = ()  # columns that differ between losses, and are the same within each


def find_hyperparameters(
    rows: pd.DataFrame, trial: Sequence[str], candidates: Sequence[str], certain: Sequence[str]
) -> Found:
    """Which of the `candidates` are hyperparameters. `certain` ones are, by flag or by the tool that wrote the table.

    `trial` are the columns of losses, data sets and seeds, seeds last. Raises `ValueError` where the rows of a trial
    are steps of a curve, and where the rows leave open what a column is.
    """
    varying = [name for name in candidates if rows[name].nunique() > 1]
    known = [name for name in varying if name in certain or is_hyperparameter(name)]
    _check_curve(rows, trial, [name for name in varying if name not in certain], known)
    rest = [name for name in varying if name not in known and plain(name) not in CURVE_STEPS]
    by_design = [name for name in rest if name not in known and _marks_configurations(rows, trial, name)]
    known += by_design
    rest = [name for name in rest if name not in by_design]
    repeating = [name for name in rest if _repeats(rows[name])]
    known, outcomes = _told_apart(rows, trial, known, repeating)
    known += _partly_empty(rows, trial, known, candidates, certain)
    single = [name for name in rest if name not in repeating and _is_number(rows[name])]
    outcomes |= _never_repeating(rows, trial, known, single)
    axes = [name for name in candidates if name in known]
    if len(axes) > _MOST_AXES:
        _check_number(rows, trial[0], axes)
    free = [name for name in axes if name not in certain]
    _check_doubtful(rows, trial, [*free, *(name for name in outcomes if question(name))], axes)
    between = [name for name in free if _is_same_within(rows, trial[0], name)]
    axes, free = ([name for name in names if name not in between] for names in (axes, free))
    follows = _followers(rows, trial, free, axes)
    left = tuple(name for name in axes if name not in follows)
    return Found(axes=left, outcomes=outcomes, follows=follows, between=tuple(between))


def drawn_axes(rows: pd.DataFrame, loss: str, axes: Sequence[str]) -> tuple[str, ...]:
    """The numeric hyperparameters whose values never repeat between configurations of a loss, as of a sampler.

    With one axis that varies, a grid's values never repeat either. They count as drawn if their distances are as
    uneven as those of random points, in plain values and in logarithms.
    """
    numeric = [name for name in axes if _is_number(rows[name])]
    found: dict[str, None] = {}
    for _, of_loss in rows[[loss, *axes]].groupby(loss, sort=False):
        points = of_loss[list(axes)].drop_duplicates()
        varying = [name for name in axes if points[name].nunique() > 1]
        if len(points) < _DRAWN_POINTS or not varying:
            continue
        never = [name for name in numeric if points[name].nunique() >= _DRAWN_SHARE * len(points)]
        found |= dict.fromkeys(
            name for name in never if len(varying) > 1 or _is_uneven(points[name].to_numpy(dtype=float))
        )
    return tuple(found)


def _is_uneven(values: np.ndarray) -> bool:
    """Whether the distances of sorted values vary by half of their mean or more, as between random points.

    On usual grids, such as .05 .07 .1 .2 .3 .5 .8, they vary by about a quarter in logarithms.
    """
    known = np.unique(values[np.isfinite(values)])
    scales = [known, np.log(known)] if np.all(known > 0) else [known]
    return all(np.diff(scale).std() >= _UNEVEN * np.diff(scale).mean() for scale in scales)


def _told_apart(
    rows: pd.DataFrame, trial: Sequence[str], known: list[str], candidates: list[str]
) -> tuple[list[str], dict[str, str]]:
    """All hyperparameters: the known ones, and the candidates that the design shows to be hyperparameters. Then the
    outcomes, each with the reason.
    """
    everything = [*known, *candidates]
    needed = []
    if not _unique(rows, trial, known):
        needed = [
            name
            for name in candidates
            if not _unique(rows, trial, [each for each in everything if each != name])
        ]
    sure = [*known, *needed]
    open_ = [name for name in candidates if name not in needed]
    outcomes, unclear = {}, []
    for name, changes in _changing(rows, trial, sure, open_).items():
        if changes:
            outcomes[name] = _CHANGES
        elif changes is None and _is_number(rows[name]):
            unclear.append(name)
        else:
            sure.append(name)
    if unclear and not _unique(rows, trial, sure):
        sure, unclear = [*sure, *unclear], []
    if unclear:
        raise ValueError(
            f"table: {first_names(unclear)} may be hyperparameters or outcomes; name each with --axis or --ignore"
        )
    return sure, outcomes


def _marks_configurations(rows: pd.DataFrame, trial: Sequence[str], name: str) -> bool:
    """Whether each value of a column of numbers stands in one row for every seed of its loss, in nearly all cases.

    So do the values of a random search whose configurations run with several seeds. Outcomes do not.
    """
    if not _is_number(rows[name]) or rows[name].nunique() > len(rows) // 2:
        return False
    keys = [*trial[:-1], name]
    if rows.duplicated([*keys, trial[-1]]).any():
        return False
    sizes = rows.groupby(keys, dropna=False, sort=False)[trial[-1]].size()
    seeds = rows.groupby(list(trial[:-1]), dropna=False, sort=False)[trial[-1]].nunique()
    most = int(seeds.max())
    return most > 1 and len(sizes) >= _DRAWN_POINTS and bool((sizes == most).mean() >= _DRAWN_SHARE)


def _partly_empty(
    rows: pd.DataFrame,
    trial: Sequence[str],
    known: list[str],
    candidates: Sequence[str],
    certain: Sequence[str],
) -> list[str]:
    """Hyperparameters with one value beside empty cells, which count if rows could not be told apart without them."""
    if _unique(rows, trial, known):
        return []
    partly = [
        name
        for name in candidates
        if rows[name].nunique() == 1
        and rows[name].isna().any()
        and (name in certain or is_hyperparameter(name))
    ]
    return [
        name
        for name in partly
        if not _unique(rows, trial, [*known, *(each for each in partly if each != name)])
    ]


def _never_repeating(
    rows: pd.DataFrame, trial: Sequence[str], known: list[str], single: list[str]
) -> dict[str, str]:
    """Columns of numbers that hardly repeat are outcomes, if the hyperparameters tell the rows apart without them."""
    if not single:
        return {}
    changing = _changing(rows, trial, known, single)
    if not rows.duplicated(trial[-1]).any() or not known:
        # rows with a seed of their own, or without configurations, show no change from seed to seed
        changing = dict.fromkeys(changing)
    unclear = [name for name, changes in changing.items() if not changes]
    random = not known or bool(drawn_axes(rows, trial[0], known))
    if unclear and (random or not _unique(rows, trial, known)):
        raise ValueError(
            f"table: the values of {first_names(unclear)} never repeat: drawn hyperparameters or outcomes? "
            "Name each with --axis or --ignore"
        )
    return {name: _CHANGES if changes else "its values never repeat" for name, changes in changing.items()}


def _changing(
    rows: pd.DataFrame, trial: Sequence[str], known: Sequence[str], names: Sequence[str]
) -> dict[str, bool | None]:
    """For each column, whether it differs between seeds of one configuration; None if none has two rows."""
    configuration = rows.groupby([*trial[:-1], *known], dropna=False, sort=False).ngroup().to_numpy()
    if not names or len(np.unique(configuration)) == len(rows):
        return dict.fromkeys(names)
    codes = np.stack([pd.factorize(rows[name])[0] for name in names], axis=1)
    order = np.argsort(configuration, kind="stable")
    same = np.diff(configuration[order]) == 0
    differs = (np.diff(codes[order], axis=0)[same] != 0).any(axis=0)
    return dict(zip(names, differs.tolist(), strict=True))


def _followers(
    rows: pd.DataFrame, trial: Sequence[str], free: Sequence[str], axes: Sequence[str]
) -> dict[str, str]:
    """Hyperparameters that are functions of another one, such as a learning rate that is scaled with the batch size.

    The other one must stay the same while further hyperparameters vary; otherwise the rows do not show a function.
    """
    follows: dict[str, str] = {}
    ordered = sorted(free, key=lambda name: _standing(rows, name))
    for name in (*ordered, *ordered):  # a second time, since what was unclear at first may be told apart now
        if name in follows:
            continue
        left = [each for each in axes if each not in follows and each != name]
        points = rows[[trial[0], *left, name]].drop_duplicates()
        if not (points.groupby(trial[0])[name].nunique() > 1).any():
            continue
        for leader in left:
            levels = points.groupby([trial[0], leader], dropna=False, sort=False)
            if (levels.size() > 1).all() and (levels[name].nunique(dropna=False) == 1).all():
                follows[name] = leader
                break
        else:
            shared = [
                each for each in left if points[each].nunique() < len(points) // points[trial[0]].nunique()
            ]
            if _determined(rows, trial[0], name, shared):
                follows[name] = "the others"
    return follows


def _standing(rows: pd.DataFrame, name: str) -> tuple[bool, bool, int]:
    """A key that sorts columns: those first that are more probably a function of others."""
    return plain(name) in BATCH_SIZES, is_hyperparameter(name), -rows[name].nunique()


def _check_doubtful(
    rows: pd.DataFrame, trial: Sequence[str], free: Sequence[str], axes: Sequence[str]
) -> None:
    """Raises `ValueError` for a column that would be a hyperparameter, and that may well be something else."""
    for name in free:
        if doubt := question(name):
            raise ValueError(f"table: column {name} {doubt}. Otherwise add --axis {name} or --ignore {name}")
        others = [each for each in axes if each != name]
        if (
            plain(name) in BUDGETS
            and _unique(rows, trial, others)
            and _changing(rows, trial, others, [name])[name]
        ):
            raise ValueError(
                f"table: {name} changes from seed to seed: a hyperparameter, or an outcome of trials that stopped "
                f"early? Add --axis {name} or --ignore {name}"
            )


def _is_same_within(rows: pd.DataFrame, loss: str, name: str) -> bool:
    """Whether a column has one value within each loss."""
    return bool((rows.groupby(loss, sort=False)[name].nunique(dropna=False) <= 1).all())


def _determined(rows: pd.DataFrame, loss: str, name: str, others: Sequence[str]) -> bool:
    """Whether a column is a function of others that form a full grid of two or more axes in every loss."""
    points = rows[[loss, *others, name]].drop_duplicates()
    if (points.groupby([loss, *others], dropna=False, sort=False)[name].nunique(dropna=False) > 1).any():
        return False
    for _, of_loss in points.groupby(loss, sort=False):
        levels = [of_loss[each].nunique(dropna=False) for each in others]
        if sum(level > 1 for level in levels) < 2 or np.prod(levels) != len(
            of_loss[list(others)].drop_duplicates()
        ):
            return False
    return True


def _check_curve(
    rows: pd.DataFrame, trial: Sequence[str], names: Sequence[str], known: Sequence[str]
) -> None:
    """Raises `ValueError` if rows of one trial differ only in the step of a curve."""
    steps = [name for name in names if plain(name) in CURVE_STEPS]
    if steps and not _unique(rows, trial, known) and _unique(rows, trial, [*known, *steps]):
        raise ValueError(
            f"table: a trial has several rows, one for each {steps[0]}; keep the last row of each trial, or say "
            f"--axis {steps[0]}"
        )


def _check_number(rows: pd.DataFrame, loss: str, axes: Sequence[str]) -> None:
    for label, of_loss in rows[list(axes)].groupby(rows[loss]):
        varying = [str(name) for name, count in of_loss.nunique().items() if count > 1]
        if len(varying) > _MOST_AXES:
            raise ValueError(
                f"table: {len(varying)} columns of loss {label} may be hyperparameters ({first_names(varying)}); "
                "name those that are with --axis"
            )


def _unique(rows: pd.DataFrame, trial: Sequence[str], names: Sequence[str]) -> bool:
    return not rows.duplicated([*trial, *names]).any()


def _repeats(column: pd.Series) -> bool:
    """Whether a column looks like a hyperparameter: few values, each in several rows. Outcomes hardly repeat."""
    return 1 < column.nunique() <= min(_MOST_VALUES, max(2, len(column) // 2))


def _is_number(column: pd.Series) -> bool:
    return column.dtype.kind in "iuf"
