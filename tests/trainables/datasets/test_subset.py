"""A list of classes keeps their images under new labels, and unsuitable lists are refused."""

import numpy as np
import pytest

from tests.trainables.datasets.examples import DIGITS, open_own
from trainables.config import DataConfig
from trainables.datasets.datasets import describe_dataset, load_dataset
from trainables.datasets.source import DataError
from trainables.datasets.subset import choose_rows


def test_classes_are_taken_out_of_the_splits_of_the_whole_set() -> None:
    whole = load_dataset(DIGITS, None)
    part = load_dataset(DataConfig(name="digits", classes=("3", "7")), None)
    assert part.info.classes == ("3", "7")
    assert part.info.fingerprint == whole.info.fingerprint
    for name, split in part.splits.items():
        old = whole.splits[name]
        kept = np.isin(old.labels, [3, 7])
        np.testing.assert_array_equal(split.images, old.images[kept])
        np.testing.assert_array_equal(split.labels, old.labels[kept] == 7)


def test_order_of_the_list_means_nothing() -> None:
    one, other = (load_dataset(DataConfig(name="digits", classes=names), None) for names in ("19", "91"))
    assert one.info == other.info
    np.testing.assert_array_equal(one.images, other.images)
    np.testing.assert_array_equal(one.train.labels, other.train.labels)


def test_all_classes_are_the_whole_set() -> None:
    named = load_dataset(DataConfig(name="digits", classes=tuple("0123456789")), None)
    np.testing.assert_array_equal(named.images, load_dataset(DIGITS, None).images)


def test_limits_count_what_the_classes_leave() -> None:
    config = DataConfig(name="digits", classes=("0", "1", "2"), train_limit=30, test_limit=12)
    info = describe_dataset(config, None)
    assert (info.n_train, info.n_val, info.n_test, info.smallest_class) == (30, 12, 12, 10)
    with pytest.raises(DataError, match=r"train_limit: got 997; .* allows 1 to 29\d"):
        describe_dataset(DataConfig(name="digits", classes=("0", "1", "2"), train_limit=997), None)


def test_images_without_a_label_stay() -> None:
    source = open_own(None)
    three = type(source)(
        **{**vars(source), "classes": ("dark", "light", "none"), "test_labels": np.array([0, 2, 1])}
    )
    subset = choose_rows(DataConfig(name="own", classes=("light", "dark")), three)
    assert len(subset.pretraining) - subset.n_train == 7
    assert subset.test_labels.tolist() in ([0, 1], [1, 0])


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (("1", "ten"), r"data.classes: got 'ten'; data 'digits' allows 0, 1, 2, .*, 9"),
        (("1",), "data.classes: got 1; allowed are two classes or more, each once"),
        (("1", "2", "1"), "data.classes: got 1, 2, 1; allowed are two classes or more, each once"),
    ],
)
def test_wrong_list_is_refused(classes: tuple[str, ...], said: str) -> None:
    with pytest.raises(DataError, match=said):
        describe_dataset(DataConfig(name="digits", classes=classes), None)
