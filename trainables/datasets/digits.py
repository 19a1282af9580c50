"""The handwritten digits that scikit-learn contains: 1,797 grey images of 8x8 pixels in ten classes.

Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI (1998). The data set has no test split, so a
fixed, stratified test split of 500 images is taken from it. Of the other 1,297 images, 300 are the validation
split and 997 the training split. Pixel values from 0 to 16 are scaled to 0 to 255.
"""

import functools
import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainables.datasets.source import Images, Indices, Source
from trainables.datasets.splits import balanced_order

N_TEST = 500
N_VAL = 300

_TEST_SALT = 1


@functools.cache
def open_digits() -> Source:
    """The bundled digits. They need no data root and no cache."""
    images, labels = _arrays()
    order = balanced_order(labels, _TEST_SALT)
    rows = {"test": order[:N_TEST], "train": np.sort(order[N_TEST:])}
    return Source(
        train_labels=labels[rows["train"]],
        test_labels=labels[rows["test"]],
        classes=tuple(str(digit) for digit in range(10)),
        channels=1,
        size=8,
        fingerprint=_fingerprint(images, labels),
        views="digits",
        n_val=N_VAL,
        decode=lambda part, wanted: images[rows[part][wanted]],
    )


def _arrays() -> tuple[Images, Indices]:
    table = _table()
    images = np.rint(table[:, :-1] * (255 / 16)).astype(np.uint8)
    return images.reshape(-1, 1, 8, 8), table[:, -1].astype(np.int64)


def _table() -> npt.NDArray[np.float64]:
    """Rows of 64 pixels and a label, equal to those of `sklearn.datasets.load_digits`.

    Importing scikit-learn would add four seconds to a plan, so its file is read directly if it is found.
    """
    package = find_spec("sklearn")
    file = Path(package.origin if package and package.origin else "").parent / "datasets/data/digits.csv.gz"
    if file.is_file():
        return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return np.column_stack([bunch.data, bunch.target])


def _fingerprint(images: Images, labels: Indices) -> str:
    return hashlib.blake2b(images.tobytes() + labels.astype("<i8").tobytes(), digest_size=16).hexdigest()
