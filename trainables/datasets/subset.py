"""Which rows of a data set a config uses, and under which labels."""

import functools
from dataclasses import dataclass

import numpy as np

from trainables.config import DataConfig
from trainables.datasets.source import UNLABELLED, DataError, Indices, Source
from trainables.datasets.splits import balanced_order, split_validation


@dataclass(frozen=True, kw_only=True, eq=False)
class Subset:
    """Rows of each split after classes and limits: `pretraining` has its `n_train` labelled rows first.

    Labels are those of the subset: they count its `classes`, in the set's own order.
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

    Classes are taken out of the splits of the whole set, so an image of validation stays one; images without
    a label belong to no class, and stay. Limits count what is left. Raises `DataError` for classes that the set
    does not have, limits beyond it, and a split without labelled images.
    """
    chosen = _chosen_classes(config, source)
    number = _new_labels(chosen, len(source.classes))
    train_labels, test_labels = number[source.train_labels], number[source.test_labels]
    train, val = split_validation(source.train_labels, source.n_val)
    train = train[(train_labels[train] >= 0) | (source.train_labels[train] == UNLABELLED)]
    train = _prefix(train, "train_limit", config.train_limit, config.name)
    labelled = train_labels[train] >= 0
    val = val[train_labels[val] >= 0][: config.test_limit]
    test = balanced_order(source.test_labels)
    test = _prefix(test[test_labels[test] >= 0], "test_limit", config.test_limit, config.name)
    for split, rows in (("training", train[labelled]), ("validation", val), ("test", test)):
        if not len(rows):
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
    """Numbers of the classes that are used, ascending: their order in the config means nothing."""
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
    """New labels by old ones: -1 for classes left out and, standing last, for images without a label."""
    labels = np.full(count + 1, UNLABELLED, dtype=np.int64)
    labels[chosen] = np.arange(len(chosen))
    return labels


def _prefix(rows: Indices, field: str, limit: int | None, name: str) -> Indices:
    if limit is not None and not 1 <= limit <= len(rows):
        raise DataError(f"{field}: got {limit}; data {name!r} allows 1 to {len(rows)}")
    return rows[:limit]
