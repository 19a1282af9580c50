"""Names, defaults and checks of the fields of any loss, built in or the user's own, before any trial runs.

For built-in losses this needs no torch. A loss given by import path is imported, and torch with it.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from trainables.config import AXES, SETTING_COLUMNS, Scalar
from trainables.loss_fields import LOSS_CARDS, check_loss_params, loss_fields
from trainables.own_files import is_import_path
from trainables.suggestion import did_you_mean, shortened
from trainables.temperature import ActsAs, declared_laws

#: Names that fields of a user's own loss may not have, because study files and records use them.
RESERVED = frozenset(
    {*AXES, "loss", "points", "other", *(column.removeprefix("hp_") for column in SETTING_COLUMNS)}
)


def check_loss_name(loss: str) -> None:
    """Raises `ValueError` unless `loss` is built in or is the import path of a loss in one of its forms."""
    if is_import_path(loss):
        _own_loss(loss)
    elif loss not in LOSS_CARDS:
        raise ValueError(
            f"unknown loss {shortened(loss)}{did_you_mean(loss, LOSS_CARDS)}; allowed are {', '.join(LOSS_CARDS)}, "
            "or an import path such as my_package.losses:MyLoss"
        )


def check_fields(loss: str, values: Mapping[str, Iterable[Scalar]], others: Iterable[str] = ()) -> None:
    """Check every field and every value alone, before anything that depends on several fields.

    Raises `ValueError` that starts with the field, for a field that the loss does not have, and for a value that the
    field of a built-in loss refuses. `others` are further keys at the same place, for suggestions.
    """
    names = field_names(loss)
    fields = {} if is_import_path(loss) else loss_fields(loss)
    for name, each in values.items():
        if name not in names:
            allowed = [*names, *others]
            raise ValueError(
                f"{name}: unknown key{did_you_mean(name, allowed)}; allowed are {', '.join(allowed)}"
            )
        if name in fields:
            for value in each:
                fields[name].check(value)


def check_params(loss: str, params: Mapping[str, Scalar], shapes: Iterable[tuple[int, int]] = ()) -> None:
    """Raises `ValueError`, naming the field, unless `loss` accepts every value and their combination.

    A user's own loss is called on batches of these shapes (pairs, dimensions), or on a small batch if none is given.
    """
    if is_import_path(loss):
        _try_own_loss(loss, params, shapes)
    else:
        check_loss_params(loss, params)


def loss_defaults(loss: str) -> dict[str, Any]:
    """Defaults of all fields that have one."""
    if not is_import_path(loss):
        return {name: field.default for name, field in loss_fields(loss).items()}
    fields = dataclasses.fields(_own_loss(loss))
    return {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}


def field_names(loss: str) -> tuple[str, ...]:
    """All fields of a loss, in the order of their declaration."""
    if not is_import_path(loss):
        return tuple(loss_fields(loss))
    return tuple(field.name for field in dataclasses.fields(_own_loss(loss)))


def field_choices(loss: str, name: str) -> tuple[str, ...]:
    """The values that a text field of a built-in loss accepts; empty for numbers and for a user's own loss."""
    fields = {} if is_import_path(loss) else loss_fields(loss)
    return fields[name].choices if name in fields else ()


def field_label(loss: str, name: str) -> str:
    """The label of a field of a loss, for figures and tables."""
    fields = {} if is_import_path(loss) else loss_fields(loss)
    return (fields[name].label if name in fields else "") or name.replace("_", " ")


def field_acts_as(loss: str, name: str) -> tuple[str, Mapping[str, ActsAs]]:
    """How a field acts as a temperature, by the value of the field that decides this (`LossField.acts_as`).

    A user's own loss declares it by its attribute `equivalent_temperature`.
    """
    if not is_import_path(loss):
        fields = loss_fields(loss)
        return fields[name].acts_as if name in fields else ("", {})
    law = declared_laws(_own_loss(loss), field_names(loss)).get(name)
    if law is None:
        return "", {}
    larger: Literal["higher temperature", "lower temperature"] = (
        "higher temperature" if law.power > 0 else "lower temperature"
    )
    return "", {"": ActsAs(larger=larger, law=law, why="declared by the loss")}


def _own_loss(path: str) -> Any:
    from trainables.losses.own_loss import import_loss

    return import_loss(path)


def _try_own_loss(path: str, params: Mapping[str, Scalar], shapes: Iterable[tuple[int, int]]) -> None:
    from trainables.losses.own_loss import check_storable, check_trial_batch
    from trainables.own_code import one_line
    from trainables.own_runs import own_code_runs

    loss = _own_loss(path)
    names = [field.name for field in dataclasses.fields(loss)]
    taken = sorted(set(names) & RESERVED)
    if taken:
        raise ValueError(
            f"{path}: field {taken[0]!r} has the name of a setting of training or of a column of records; give it "
            "another name"
        )
    with own_code_runs(path):
        try:
            instance, again = loss(**params), loss(**params)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever the user's loss raises must end in one line
            raise ValueError(f"{path}: {one_line(error)}") from error
        check_storable(instance, path)
        fields = ", ".join(f"{name} = {getattr(instance, name)!r}" for name in names)
        shown = f"{path} at {fields}" if fields else path
        for pairs, dim in dict.fromkeys(shapes) or [(8, 16)]:
            check_trial_batch(instance, shown, pairs=pairs, dim=dim, again=again)
