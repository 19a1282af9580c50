"""Classes without names are the values of the training labels, and other labels are refused by row."""

import numpy as np
import pytest

from trainables.datasets.class_labels import class_numbers, class_values
from trainables.datasets.source import DataError


@pytest.mark.parametrize(
    ("labels", "values"),
    [([2, 10, 2, 1], [1, 2, 10]), (["b", "a10", "a2", "b"], ["a10", "a2", "b"]), ([-1, 5, 3], [3, 5])],
)
def test_values_are_in_ascending_order(labels: list[object], values: list[object]) -> None:
    found = class_values(np.array(labels), "here")
    assert found.tolist() == values
    assert class_numbers(np.array(values), found, "here").tolist() == list(range(len(values)))


@pytest.mark.parametrize(("labels", "said"), [([], "0 classes"), ([4, 4], "1 class"), ([-1, 4], "1 class")])
def test_less_than_two_classes_are_refused(labels: list[int], said: str) -> None:
    with pytest.raises(
        DataError, match=f"^here: training images of {said}; at least two classes are needed$"
    ):
        class_values(np.array(labels, dtype=np.int64), "here")


def test_unlabelled_images_stay_where_they_are_allowed() -> None:
    labels, values = np.array([7, -1, 5]), np.array([5, 7])
    assert class_numbers(labels, values, "here", unlabelled=True).tolist() == [1, -1, 0]
    with pytest.raises(DataError, match=r"^here: label -1 in row 1; the training images have 5, 7$"):
        class_numbers(labels, values, "here")


def test_many_classes_are_not_all_listed() -> None:
    with pytest.raises(
        DataError, match=r"label 'x' in row 0; the training images have 'a', .*, 'j' and 2 more$"
    ):
        class_numbers(np.array(["x"]), np.array(list("abcdefghijkl")), "here")
