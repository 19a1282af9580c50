"""The rows of a data set that a config uses, and their labels."""

import functools
from dataclasses import dataclass

import numpy as np

from trainables.config import DataConfig
from trainables.datasets.source import UNLABELLED, DataError, Indices, Source
from trainables.datasets.splits import balanced_order, split_validation


@dataclass(frozen=True, kw_only=True, eq=False)
class Subset:
    """Rows of each split after the choice of classes and limits. `pretraining` starts with `n_train` labelled rows.

    Labels are indices into `classes`, which keep the order of the whole data set.
    """

    classes: tuple[str, ...]
    pretraining: Indices
    n_train: int
    val: Indices
    test: Indices
    train_labels: Indices  # (n_train,)
    val_labels: Indices
    test_labels: Indices


@functools.lru_cache(maxsize=16)
def choose_rows(config: DataConfig, source: Source) -> Subset:
    """The subset of `source` that `config` uses.

    The whole data set is split first, and then other classes are removed. A validation image of the whole set is
    therefore never a training image of the subset. Without a validation split, `val` is empty, and all training
    images train. Unlabelled images belong to no class and remain. Limits count the remaining images. Raises
    `DataError` for unknown classes, for limits that are too large or leave a class without images, and for a split
    without labelled images.
    """
    chosen = _chosen_classes(config, source)
    number = _new_labels(chosen, len(source.classes))
    train_labels, test_labels = number[source.train_labels], number[source.test_labels]
    train, val = split_validation(source.train_labels, source.n_val if config.holds_out else 0)
    train = train[(train_labels[train] >= 0) | (source.train_labels[train] == UNLABELLED)]
    _check_classes("train_limit", config.train_limit, config.name, train_labels[train])
    train = _prefix(train, "train_limit", config.train_limit, config.name)
    labelled = train_labels[train] >= 0
    val = val[train_labels[val] >= 0]
    test = balanced_order(source.test_labels)
    test = test[test_labels[test] >= 0]
    held_out = (train_labels[val],) if config.holds_out else ()
    _check_classes("test_limit", config.test_limit, config.name, *held_out, test_labels[test])
    val, test = val[: config.test_limit], _prefix(test, "test_limit", config.test_limit, config.name)
    for split, rows in (("training", train[labelled]), ("validation", val), ("test", test)):
        if not len(rows) and (split != "validation" or config.holds_out):
            raise DataError(f"data {config.name!r}: the {split} split has no labelled images")
    return Subset(
        classes=tuple(source.classes[old] for old in chosen),
        pretraining=np.concatenate([train[labelled], train[~labelled]]),
        n_train=int(labelled.sum()),
        val=val,
        test=test,
        train_labels=train_labels[train[labelled]],
        val_labels=train_labels[val],
        test_labels=test_labels[test],
    )


def _chosen_classes(config: DataConfig, source: Source) -> list[int]:
    """Numbers of the chosen classes in ascending order. Their order in the config has no effect."""
    names = config.classes
    unknown = [name for name in names if name not in source.classes]
    if unknown:
        raise DataError(
            f"data.classes: got {unknown[0]!r}; data {config.name!r} allows {', '.join(source.classes)}"
        )
    chosen = [number for number, name in enumerate(source.classes) if not names or name in names]
    if len(chosen) < 2 or len(set(names)) < len(names):
        raise DataError(f"data.classes: got {', '.join(names)}; allowed are two classes or more, each once")
    return chosen


def _new_labels(chosen: list[int], count: int) -> Indices:
    """An array from old to new labels: -1 for removed classes and, at the last index, for unlabelled images."""
    labels = np.full(count + 1, UNLABELLED, dtype=np.int64)
    labels[chosen] = np.arange(len(chosen))
    return labels


def _check_classes(field: str, limit: int | None, name: str, *splits: Indices) -> None:
    """Raise `DataError` for a limit without an image of a class that is in the whole split.

    `splits` holds the labels of each limited split in its order, with -1 for unlabelled images.
    """
    classes = [np.unique(labels, return_index=True) for labels in splits]
    least = max((1 + int(first[found >= 0].max(initial=0)) for found, first in classes), default=1)
    if limit is not None and 1 <= limit < least:
        raise DataError(
            f"data.{field}: got {limit}, which leaves a class without images; data {name!r} needs {least} or more"
        )


def _prefix(rows: Indices, field: str, limit: int | None, name: str) -> Indices:
    if limit is not None and not 1 <= limit <= len(rows):
        raise DataError(f"data.{field}: got {limit}; data {name!r} allows 1 to {len(rows)}")
    return rows[:limit]
