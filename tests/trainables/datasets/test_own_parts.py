"""Arrays and data sets of items become the same images and labels; other and ambiguous forms are one line."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from trainables.datasets.own_parts import source_of_parts
from trainables.datasets.source import DataError, Source

GREY = np.random.default_rng(0).integers(0, 256, (12, 4, 4), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (12, 4, 4, 3), dtype=np.uint8)
LABELS = np.arange(12) % 2


class Items:
    """A data set of (image, label)."""

    def __init__(self, images: Any, labels: Any, classes: Any = None) -> None:
        self.images, self.labels = images, labels
        if classes is not None:
            self.classes = classes

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> object:
        return self.images[row], self.labels[row]


class Turning(Items):
    """One whose second reads turn the image, as a random transform may."""

    reads = 0

    def __getitem__(self, row: int) -> object:
        self.reads += 1
        return np.rot90(self.images[row], self.reads > len(self)), self.labels[row]


def pixels(source: Source, part: str = "train") -> np.ndarray:
    count = len(source.train_labels if part == "train" else source.test_labels)
    return source.decode(part, np.arange(count))


def both(part: object) -> Source:
    return source_of_parts((part, part))


GREY_FIRST, COLOUR_FIRST = GREY[:, None], COLOUR.transpose(0, 3, 1, 2)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (GREY, GREY_FIRST),
        (GREY[..., None], GREY_FIRST),
        (GREY[:, None], GREY_FIRST),
        (COLOUR, COLOUR_FIRST),
        (COLOUR_FIRST, COLOUR_FIRST),
        ((COLOUR / 255).astype(np.float32), COLOUR_FIRST),
        (COLOUR / 255, COLOUR_FIRST),
        ((COLOUR / 255).astype(np.float16), COLOUR_FIRST),
        (torch.from_numpy(COLOUR_FIRST.copy()), COLOUR_FIRST),
        (torch.from_numpy(GREY_FIRST / 255).requires_grad_(), GREY_FIRST),
    ],
)
def test_forms_of_arrays_and_of_items(images: Any, expected: np.ndarray) -> None:
    parts = ((images, LABELS), {"images": images, "labels": list(LABELS)}, Items(images, LABELS))
    sources = [both(part) for part in parts]
    for source in sources:
        for part in ("train", "test"):
            np.testing.assert_array_equal(pixels(source, part), expected)
            assert pixels(source, part).dtype == np.uint8
        assert source.train_labels.tolist() == source.test_labels.tolist() == LABELS.tolist()
        assert (source.channels, source.size, source.classes) == (expected.shape[1], 4, ("0", "1"))
        assert source.views == ("digits" if expected.shape[1] == 1 else "cifar")
    assert len({source.fingerprint for source in sources}) == 1


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("L", GREY_FIRST), ("LA", GREY_FIRST), ("RGB", COLOUR_FIRST), ("RGBA", COLOUR_FIRST)],
)
def test_pillow_images(mode: str, expected: np.ndarray) -> None:
    images = [Image.fromarray(image).convert(mode) for image in (GREY if mode[0] == "L" else COLOUR)]
    np.testing.assert_array_equal(pixels(both(Items(images, LABELS))), expected)


def test_parts_by_name_and_as_a_tuple_are_alike() -> None:
    train, test = (GREY[:8], LABELS[:8]), (GREY[8:], LABELS[8:])
    by_name = source_of_parts({"test": test, "train": Items(*train)})
    assert by_name.fingerprint == source_of_parts((train, test)).fingerprint
    np.testing.assert_array_equal(pixels(by_name, "test"), GREY_FIRST[8:])


@pytest.mark.parametrize(
    ("labels", "classes", "expected", "names"),
    [
        ([1, 2] * 6, None, [0, 1] * 6, ("1", "2")),
        ([9, -1, 30] * 4, None, [0, -1, 1] * 4, ("9", "30")),
        (["dog", "cat"] * 6, None, [1, 0] * 6, ("cat", "dog")),
        ([1, 0] * 6, ["a", "b"], [1, 0] * 6, ("a", "b")),
        ([0, 2] * 6, ["a", "b", "c"], [0, 1] * 6, ("a", "c")),
        (np.array([1, 0] * 6, dtype=np.uint8), ["a", "b"], [1, 0] * 6, ("a", "b")),
        (torch.tensor([1, 0] * 6), None, [1, 0] * 6, ("0", "1")),
    ],
)
def test_labels(labels: Any, classes: list[str] | None, expected: list[int], names: tuple[str, ...]) -> None:
    given: dict[str, Any] = {"train": (GREY, labels), "test": (GREY[:1], labels[:1])}
    sources = [
        source_of_parts(given | ({"classes": classes} if classes else {})),
        source_of_parts(given | {"train": Items(GREY, labels, classes)}),
    ]
    for source in sources:
        assert source.train_labels.tolist() == expected
        assert source.test_labels[0] == expected[0]
        assert source.classes == names
        assert source.notes == (
            ("classes without training images, left out: b",) if names == ("a", "c") else ()
        )


def test_the_fingerprint_covers_images_labels_and_names() -> None:
    other = GREY.copy()
    other[0, 0, 0] ^= 1
    parts: list[Any] = [
        ((GREY, LABELS), (GREY, LABELS)),
        ((other, LABELS), (GREY, LABELS)),
        ((GREY, LABELS), (other, LABELS)),
        ((GREY, 1 - LABELS), (GREY, LABELS)),
        ((GREY, LABELS), (GREY, 1 - LABELS)),
        {"train": (GREY, LABELS), "test": (GREY, LABELS), "classes": ["a", "b"]},
    ]
    assert len({source_of_parts(each).fingerprint for each in parts}) == len(parts)


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ((GREY, LABELS[:3]), "train: 12 images and 3 labels"),
        ((GREY[:0], LABELS[:0]), "train images: no images"),
        (Items([], []), "train: no images"),
        ((GREY.astype(int), LABELS), "train images: pixels are int64; allowed are uint8, and floats from 0 to 1"),
        ((GREY > 9, LABELS), "train images: pixels are bool; allowed are uint8, and floats from 0 to 1"),
        ((COLOUR / 1.0, LABELS), "train images: float pixels from 0 to 255; allowed are floats from 0 to 1"),
        ((GREY / 255 - 0.5, LABELS), "train images: float pixels from -0.5 to "),
        ((GREY * np.nan, LABELS), "train images: float pixels from nan to nan; allowed are floats from 0 to 1"),
        ((list(GREY), LABELS), "train images: got list; allowed are numpy arrays and tensors"),
        ((GREY[:, :3], LABELS), "train images: shape (12, 3, 4); allowed are (N, H, W), (N, H, W, C) and"),
        ((GREY.reshape(12, 16), LABELS), "train images: shape (12, 16); allowed are (N, H, W)"),
        ((np.repeat(COLOUR, 2, 3)[..., :4], LABELS), "train images: shape (12, 4, 4, 4); allowed are"),
        ((COLOUR[:, :3, :3], LABELS), "train images: shape (12, 3, 3, 3) is (N, C, H, W) or (N, H, W, C); give a"),
        ((GREY, np.eye(2)[LABELS]), "train labels: got float64 (12, 2); allowed are integers or text (N,)"),
        ((GREY, LABELS[:, None]), "train labels: got int64 (12, 1); allowed are integers or text (N,)"),
        ((GREY, LABELS * 1.0), "train labels: got float64 (12,); allowed are integers or text (N,)"),
        ((GREY, LABELS - 3), "train labels: label -3 in row 0; allowed are whole numbers from -1"),
        ((GREY, LABELS - 1), "test labels: label -1 in row 0; allowed are whole numbers from 0"),
        ((GREY, LABELS * 0), "train labels: training images of 1 class; at least two classes are needed"),
        ((GREY, LABELS * 0 - 1), "test labels: label -1 in row 0; allowed are whole numbers from 0"),
        ({"images": GREY}, "train: got dict"),
        ("GREY", "train: got str"),
        (Items(list(GREY[:5]) + list(COLOUR), LABELS), "train[5]: image of shape (4, 4, 3), but train[0] has (4, 4)"),
        (Items(GREY, LABELS * 1.0), "train[0]: label of type float64; allowed are whole numbers and text"),
        (Items(GREY, LABELS > 0), "train[0]: label of type bool; allowed are whole numbers and text"),
        (Items(GREY, np.eye(2)[LABELS]), "train[0]: label of type ndarray; allowed are whole numbers and text"),
        (Items(["a.png"] * 4, LABELS), "train[0]: image of type str; allowed are Pillow's images, numpy arrays"),
        (Items([Image.new("I", (4, 4))] * 4, LABELS), "train[0]: image of mode I; allowed are 1, L,"),
        (list(GREY), "train[0]: got ndarray; allowed is (image, label)"),
        (Turning(GREY, LABELS), "train[0]: two reads give different images; leave random transforms out"),
        (Items(GREY, LABELS, ["a"]), "train labels: label 1 in row 1; allowed are -1 to 0"),
        (Items(GREY, LABELS, ["a", "a"]), "train.classes: got ['a', 'a']; allowed is a list of different texts"),
    ],
)  # fmt: skip
def test_a_fault_of_a_part_is_one_line(part: object, fault: str) -> None:
    with pytest.raises(DataError) as caught:
        both(part)
    assert str(caught.value).startswith(fault)
    assert "\n" not in str(caught.value)


PART = (GREY, LABELS)


@pytest.mark.parametrize(
    ("returned", "fault"),
    [
        ({"train": PART}, "the key 'test' is missing"),
        (
            {"train": PART, "test": PART, "val": PART},
            "got the key 'val'; allowed are train, test and classes",
        ),
        ({"train": PART, "test": PART, "classes": 2}, "classes: got 2; allowed is a list of different texts"),
        ([PART, PART], "got list"),
        ((PART, PART, PART), "got a tuple of 3"),
        (
            (PART, (COLOUR, LABELS)),
            "images of 1 x 4 x 4 in train and of 3 x 4 x 4 in test; both must be alike",
        ),
        ((PART, (GREY, LABELS + 1)), "test labels: label 2 in row 1; the training images have 0, 1"),
        (
            (PART, (GREY, ["a"] * 12)),
            "test labels: labels are text; those of the training images are numbers",
        ),
        (
            (Items(GREY, LABELS, ["a", "b"]), Items(GREY, LABELS, ["b", "a"])),
            "train.classes and test.classes differ",
        ),
    ],
)
def test_a_fault_of_the_whole_is_one_line(returned: object, fault: str) -> None:
    with pytest.raises(DataError) as caught:
        source_of_parts(returned)
    assert str(caught.value).startswith(fault)
    assert "\n" not in str(caught.value)
