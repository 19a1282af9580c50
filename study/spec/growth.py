"""The keys that change when a study grows by more axis values, seeds, losses or points; `study extend` uses them.

The keys form a study file that `extends` the old study. Lists are written in full, with the old values first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from search_spaces.axes import Axis, listed, measure_of
from search_spaces.designs import takers_of
from search_spaces.loss_params import loss_defaults
from search_spaces.space import Tied
from study.errors import StudyError
from study.spec.arms import Arm
from study.spec.expand import TrialSet, shared_axes
from study.spec.load import StudySpec
from trainables.config import SELECTION_AXIS, Scalar
from trainables.reading import parse_toml
from trainables.suggestion import shortened

Values = Sequence[Scalar]


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The additions to a study."""

    seeds: Sequence[int] = ()
    axes: Mapping[str, Values] = field(default_factory=dict)  # by NAME or LABEL.FIELD
    losses: Sequence[str] = ()  # LABEL, or LABEL=LOSS for a label that the user chooses
    #: Total number of configurations for each loss, by the key of `[search]`.
    budget: Mapping[str, int] = field(default_factory=dict)


def parse_growth(
    *, seeds: str | None, axes: Sequence[str], losses: Sequence[str], budget: Mapping[str, int | None]
) -> Growth:
    """The additions that command-line options ask for. Raises `StudyError` for invalid text."""
    try:
        numbers = [int(word) for word in (seeds or "").split(",") if word.strip()]
    except ValueError:
        raise StudyError(f"--seeds: got {shortened(seeds)}, must be whole numbers such as 2,3,4") from None
    values: dict[str, Values] = {}
    for word in axes:
        name, _, text = word.partition("=")
        values[name] = [*values.get(name, ()), *_parse_values(word, text)]
    given = {name: count for name, count in budget.items() if count is not None}
    return Growth(seeds=numbers, axes=values, losses=losses, budget=given)


def _parse_values(word: str, text: str) -> Values:
    """The values in a text such as `1,2.5,log`: each is a number, a boolean or a text."""
    values = [part.strip() for part in text.split(",") if part.strip()]
    if not values:
        raise StudyError(
            f"--axis: got {shortened(word)}, must be NAME=VALUE,VALUE such as batch_size=512,1024"
        )
    return [_parse_value(part) for part in values]


def _parse_value(word: str) -> Scalar:
    try:
        value = parse_toml(f"value = {word}")["value"]
    except ValueError:
        return word
    return value if isinstance(value, (bool, int, float, str)) else word


def grown_keys(spec: StudySpec, trial_set: TrialSet, growth: Growth) -> dict[str, Any]:
    """The changed keys, as a tree of the study file.

    Raises `StudyError` for additions that are not possible, and when the study has all of them already.
    """
    tree: dict[str, Any] = {}
    known = set(spec.seeds)
    if fresh := [seed for seed in dict.fromkeys(growth.seeds) if seed not in known]:
        tree["seeds"] = [*spec.seeds, *fresh]
    new = dict(_new_loss(loss, spec) for loss in growth.losses)
    if new:
        tree["losses"] = new
    for name, values in growth.axes.items():
        _merge(tree, _grown_axis(name, values, spec, trial_set, new))
    if search := _grown_search(spec, growth):
        tree["search"] = search
    if not tree:
        raise StudyError("extend: nothing to add; the study has all of it already")
    return tree


def _merge(tree: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(tree.get(key), dict):
            _merge(tree[key], value)
        else:
            tree[key] = value


def _new_loss(word: str, spec: StudySpec) -> tuple[str, dict[str, Any]]:
    label, _, loss = word.partition("=")
    if label in spec.losses:
        raise StudyError(f"--loss: got '{label}', which the study has already")
    return label, {"loss": loss} if loss else {}


def _grown_search(spec: StudySpec, growth: Growth) -> dict[str, int]:
    search = {}
    for name, wanted in growth.budget.items():
        if name != spec.search.chosen.budget:
            raise StudyError(f"--{name}: is for {takers_of(name)}, and search.design is {spec.search.design}")
        now = spec.search.count or 0
        if wanted < now:
            raise StudyError(f"--{name}: got {wanted}, must be more than the {now} that the study has")
        if wanted > now:
            search[name] = wanted
    return search


def _grown_axis(
    name: str, values: Values, spec: StudySpec, trial_set: TrialSet, new: Mapping[str, Any]
) -> dict[str, Any]:
    """The changed keys of one `--axis`. In a new loss, the given values are the complete list."""
    label, _, own = name.rpartition(".")
    if label in new:
        return {"losses": {label: {own: list(values)}}}
    if spec.search.chosen.adaptive:
        raise StudyError(
            f"--axis {name}: a study with a search cannot get more values, because other ranges start another "
            "search; edit the file"
        )
    if name in spec.axes:
        return _axis_key("axes", name, _more(name, shared_axes(spec)[name], values))
    if name in trial_set.task.axes and name != "lr":
        now = _unswept(spec, name)
        if now is None:
            raise StudyError(
                f"--axis {name}: the study gives no {name} yet that could get more; edit the file"
            )
        return _axis_key("axes", name, _more(name, listed(now), values))
    grown: dict[str, Any] = {}
    for arm in _arms_of(name, label, own, trial_set):
        if more := _axis_key(arm.label, own, _more(name, _axis_of(arm, own), values)):
            grown |= more
    return {"losses": grown} if grown else {}


def _unswept(spec: StudySpec, name: str) -> Any:
    """The single value of an axis that the study does not sweep; None if it gives no value."""
    if name == SELECTION_AXIS:
        return spec.selection.method
    return getattr(getattr(spec, "training", None), name, None)


def _axis_key(table: str, name: str, value: Any) -> dict[str, Any]:
    return {} if value is None else {table: {name: value}}


def _arms_of(name: str, label: str, own: str, trial_set: TrialSet) -> list[Arm]:
    """The arm with this label, or, without a label, all arms that vary the field."""
    arms = [arm for arm in trial_set.arms if arm.label == label or (not label and own in arm.space)]
    if not arms:
        labels = ", ".join(arm.label for arm in trial_set.arms)
        raise StudyError(
            f"--axis: got {shortened(name)}, must be one of {', '.join(trial_set.task.axes)}, a field that losses "
            f"of the study vary, or LABEL.FIELD with one of the labels {labels}"
        )
    return arms


def _axis_of(arm: Arm, own: str) -> Axis:
    """The current axis of a field; for a field at its default, an axis with that one value."""
    axis = arm.space.get(own)
    if isinstance(axis, Tied):
        raise StudyError(f"--axis: {arm.label}.{own} has a range for each {axis.on}; edit the file")
    if axis is not None:
        return axis
    defaults = loss_defaults(arm.loss)
    if own not in defaults:
        raise StudyError(
            f"--axis: got '{arm.label}.{own}'; the fields of {arm.loss} are {', '.join(defaults)}"
        )
    return listed(defaults[own])


def _more(name: str, axis: Axis, values: Values) -> Any:
    """The axis with the values added, as a study file writes it; None if it has all of them already.

    A range becomes the list of its values, and keeps its weight in scores. Raises `StudyError` for a range that lists
    no values, because points are drawn from it.
    """
    try:
        now = axis.values()
        known = set(now)
        grown = [*now, *(value for value in dict.fromkeys(values) if value not in known)]
        measure = measure_of(axis)
        if len(grown) == len(now):
            return None
        return grown if measure_of(listed(*grown)) == measure else {"values": grown, "measure": measure}
    except ValueError as error:
        raise StudyError(f"--axis {name}: {error}") from error
