"""A user's own data function is called and its result checked; every fault is one line with the accepted form."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.trainables.datasets import own_functions
from trainables.config import DataConfig
from trainables.datasets.datasets import describe_dataset, load_dataset, open_source, try_dataset
from trainables.datasets.own_data import open_own
from trainables.datasets.source import DataError, Source
from trainables.own_files import forget_files


def config(name: str) -> DataConfig:
    return DataConfig(name=f"{own_functions.__name__}:{name}")


def test_a_right_function_gives_its_images(capsys: pytest.CaptureFixture[str]) -> None:
    try_dataset(config("right"), None)
    data = load_dataset(config("right"), None)
    assert (data.info.n_train, data.info.n_val, data.info.n_test) == (18, 2, 10)
    rows = [
        np.flatnonzero((image[0] == own_functions.IMAGES).all(axis=(1, 2)))[0] for image in data.test.images
    ]
    assert sorted(rows) == list(range(20, 30))
    assert data.test.labels.tolist() == own_functions.LABELS[rows].tolist()
    assert "a message" not in capsys.readouterr().out


def test_labels_of_a_source_may_be_lists() -> None:
    assert describe_dataset(config("list_labels"), None).n_test == 2


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("no_argument", "raises TypeError: no_argument() takes 0 positional arguments but 1 was given"),
        ("no_disk", "raises OSError: no such disk"),
        ("leaves", "raises SystemExit: 3"),
        ("stops", "raises Stop: no way"),
        ("one_part", "train: got ndarray (30, 4, 4)"),
        ("four", "got a tuple of 4"),
        ("nothing", "got NoneType"),
        ("NOT_CALLABLE", "got an object of type dict"),
        (
            "labels_beyond",
            "train_labels: label 2 in row 2; allowed are 0 to 1, the places in classes, and -1 for",
        ),
        ("float_labels", "test_labels: got float64 (2,); allowed are integers (N,)"),
        ("empty_test", "test_labels: no images"),
        ("twice_named", "classes: 'a' is given twice"),
        ("no_names", "classes: got 2; allowed is a tuple of text"),
        ("four_channels", "channels: got 4; allowed are 1 (grey) and 3 (colour)"),
        ("no_size", "size: got 0; allowed are whole numbers from 1"),
        ("no_fingerprint", "fingerprint: got ''; allowed is text"),
        ("large_n_val", "n_val: got 40; allowed are whole numbers from 1 to 39"),
        ("decodes_floats", "decode('train', ...): got float64 (1, 3, 4, 4); allowed is uint8 (1, 3, 4, 4)"),
        ("decodes_a_list", "decode('train', ...): got list; allowed is a uint8 array (1, 3, 4, 4)"),
        ("decode_raises", "decode('test', ...) raises KeyError: 'test'"),
    ],
)
def test_a_fault_is_one_line(name: str, fault: str) -> None:
    with pytest.raises(DataError, match="must be a function open_mine") as caught:
        try_dataset(config(name), None)
    said = str(caught.value)
    assert said.startswith(f"data: {config(name).name}: {fault}")
    assert "returns a Source, (train, test) or {'train': ..., 'test': ...}" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "name", ["unseeded", "unseeded_items", "other_labels", "other_images", "other_fingerprint"]
)
def test_a_function_that_returns_other_data_in_a_second_call_is_refused(name: str) -> None:
    fault = "two calls return different data; seed its random numbers"
    with pytest.raises(DataError, match=f"^data: {config(name).name}: {fault}; must be a function open_mine"):
        try_dataset(config(name), None)


def test_an_image_that_differs_at_the_second_read_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"decodes_at_random: two reads of row \d+ of the training split give"
    ):
        try_dataset(config("decodes_at_random"), None)


def test_built_in_sets_are_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_noted(name: str, data_root: Path | None, size: int | None) -> Source:
        opened.append(name)
        return open_source(name, data_root, size)

    monkeypatch.setattr("trainables.datasets.datasets.open_source", open_noted)
    try_dataset(DataConfig(name=f"folder:{tmp_path / 'none'}"), None)
    try_dataset(config("right"), None)
    assert opened == [config("right").name]


def test_the_fingerprint_is_the_same_in_another_process() -> None:
    code = (
        "import sys\n"
        "from trainables.config import DataConfig\n"
        "from trainables.datasets.datasets import describe_dataset\n"
        "print(describe_dataset(DataConfig(name=sys.argv[1]), None).fingerprint)"
    )
    printed = subprocess.check_output([sys.executable, "-c", code, config("right").name], text=True)
    assert printed.split() == [describe_dataset(config("right"), None).fingerprint]


_MODULE = """
import numpy as np
from trainables.datasets.source import Source
{imports}

def mine(data_root):
    labels = np.arange(20) % 2
    decode = lambda part, rows: np.full((len(rows), 1, 8, 8), 7, np.uint8)
    return Source(
        train_labels=labels, test_labels=labels, classes=("a", "b"), channels=1, size=8, fingerprint="x",
        views="digits", decode=decode,
    )
"""


def fingerprint_of(folder: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The fingerprint of `own_set:mine` with these files in a new folder."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
        monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)
    with monkeypatch.context() as path:
        path.syspath_prepend(str(folder))
        forget_files()
        open_own.cache_clear()
        found = open_own("own_set:mine", None).fingerprint
    for name in files:
        sys.modules.pop(name.removesuffix(".py"), None)
    open_own.cache_clear()
    return found


def test_the_fingerprint_of_a_source_covers_the_modules_that_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, helped = _MODULE.format(imports=""), _MODULE.format(imports="import own_pixels")
    assert fingerprint_of(tmp_path / "0", {"own_set.py": alone}, monkeypatch) == "x"
    versions = [
        fingerprint_of(tmp_path / str(number), {"own_set.py": helped, "own_pixels.py": text}, monkeypatch)
        for number, text in enumerate(("SHADE = 1\n", "SHADE = 2\n", "SHADE = 1\n"), start=1)
    ]
    assert versions[0] == versions[2]
    assert len({"x", *versions}) == 3
