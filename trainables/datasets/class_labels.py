"""Class numbers of labels without class names: the classes are the values that occur in the training part."""

from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.datasets.source import UNLABELLED, DataError, Indices
from trainables.suggestion import first_names, shortened

#: Labels as stored: integers or text.
Values = npt.NDArray[Any]


def class_values(labels: Values, where: str) -> Values:
    """The different values of training labels in ascending order: numbers by value, text by character.

    `UNLABELLED` is not among them. Raises `DataError` for less than two values. `where` names the labels.
    """
    values = np.unique(labels if is_text(labels) else labels[labels != UNLABELLED])
    check_class_count(len(values), where)
    return values


def check_class_count(count: int, where: str) -> None:
    """Raise `DataError` for less than two classes with training images."""
    if count < 2:
        raise DataError(
            f"{where}: training images of {count} {'class' if count else 'classes'}; at least two classes are needed"
        )


def class_numbers(labels: Values, values: Values, where: str, *, unlabelled: bool = False) -> Indices:
    """The places of labels in the class values. With `unlabelled`, the integer `UNLABELLED` is allowed and stays.

    Raises `DataError` if a label is not one of the values. The message has the number of the first such row.
    `where` is the name of the labels in messages.
    """
    if labels.size and is_text(labels) != is_text(values):
        kinds = ("text", "numbers") if is_text(labels) else ("numbers", "text")
        raise DataError(f"{where}: labels are {kinds[0]}; those of the training images are {kinds[1]}")
    known = np.isin(labels, values)
    skipped = labels == UNLABELLED if unlabelled and not is_text(labels) else np.zeros_like(known)
    unknown = np.flatnonzero(~known & ~skipped)
    if unknown.size:
        row = int(unknown[0])
        raise DataError(
            f"{where}: label {_shown(labels[row])} in row {row}; the training images have {_listed(values)}"
        )
    numbers = np.full(len(labels), UNLABELLED, dtype=np.int64)
    numbers[known] = np.searchsorted(values, labels[known])
    return numbers


def is_text(values: Values) -> bool:
    """Whether labels are text; otherwise they are integers."""
    return values.dtype.kind in "OU"


def _shown(value: object) -> str:
    return shortened(str(value)) if isinstance(value, str) else str(value)


def _listed(values: Values) -> str:
    """The values for a message, at most ten of them."""
    return first_names([_shown(value) for value in values], 10) or "no labels"
