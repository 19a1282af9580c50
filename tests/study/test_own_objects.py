"""Own encoders and data sets: those of the documentation train, and each fault is one line before anything starts."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from study.spec.expand import expand
from study.spec.load import load_spec
from tests.study.conftest import TINY
from tests.study.running import invoke, records
from trainables.datasets.own_data import open_own
from trainables.encoders.encoders import check_encoder
from trainables.own_code import use_own_folders

_DOCS = Path(__file__).resolve().parents[2] / "docs" / "extending.md"

_DATA = 'name = "digits"\ntrain_limit = 200\ntest_limit = 60'
_ENCODER = 'name = "small_conv"\nwidth = 4'
_PROBES = ('suite = ["probe10"]\ndraws = 2', 'suite = ["knn"]'), ("probe10_accuracy", "knn_accuracy")


@pytest.fixture(autouse=True)
def path_as_before() -> Iterator[None]:
    """Leaves no folder and no module of a test among those of the user."""
    yield
    use_own_folders()
    open_own.cache_clear()
    check_encoder.cache_clear()
    for name in ("my_nets", "my_arrays", "my_items", "bad_nets", "bad_data"):
        sys.modules.pop(name, None)


def study_with(folder: Path, *, data: str = "digits", encoder: str | None = None) -> Path:
    """A tiny study with this data set and encoder."""
    text = TINY.replace(_DATA, f'name = "{data}"')
    for old, new in _PROBES:
        text = text.replace(old, new)
    if encoder:
        text = text.replace(_ENCODER, f'name = "{encoder}"')
    path = folder / "tiny.toml"
    path.write_text(text)
    return path


def documented() -> dict[str, str]:
    """The modules in the documentation by file name."""
    blocks = re.findall(
        r"^ *```python\n( *# (my_\w+\.py)\n.*?)^ *```", _DOCS.read_text(), re.DOTALL | re.MULTILINE
    )
    return {name: re.sub(r"^   (?=[ #\w])", "", code, flags=re.MULTILINE) for code, name in blocks}


def test_the_documentation_has_an_encoder_and_two_data_sets() -> None:
    assert {"my_nets.py", "my_arrays.py", "my_items.py"} <= set(documented())


@pytest.mark.parametrize(
    ("module", "shape", "classes"),
    [
        ("my_arrays", (3, 8, 40, 5, 15), ("red", "green", "blue")),
        ("my_items", (1, 8, 54, 6, 20), ("dark", "light")),
    ],
)
def test_what_is_documented_trains(
    tmp_path: Path, module: str, shape: tuple[int, ...], classes: tuple[str, ...]
) -> None:
    for name, code in documented().items():
        (tmp_path / name).write_text(code)
    study = study_with(tmp_path, data=f"{module}:open_mine", encoder="my_nets:MyNet")
    result = invoke("trial", study, "--store", tmp_path / "store", "--put")
    assert result.exit_code == 0, result.output
    assert len(records(tmp_path / "store")) == 1
    data = expand(load_spec(str(study)).spec, None).data
    assert (data.channels, data.size, data.n_train, data.n_val, data.n_test) == shape
    assert data.classes == classes


def refused(command: str, study: Path, store: Path) -> Result:
    """The result of a command that ends with one line on standard error, and without a store."""
    result = invoke(command, study, "--store", store)
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("study: ")
    assert "Traceback" not in result.output
    assert not store.exists()
    return result


BAD_NETS = """
from torch import nn

class NoChannels(nn.Linear):
    def __init__(self):
        super().__init__(64, 8)

class Map(nn.Conv2d):
    def __init__(self, *, channels, size):
        super().__init__(channels, 8, 3)
"""


@pytest.mark.parametrize("command", ["plan", "run", "status"])
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (
            "NoChannels",
            "NoChannels.__init__() got an unexpected keyword argument 'channels'; must be called as MyNet(",
        ),
        (
            "Map",
            "output of shape (2, 8, 6, 6) for 2 images in evaluation; allowed is (2, h_dim); must be called as",
        ),
    ],
)
def test_a_wrong_encoder_ends_a_command_before_it_starts(
    tmp_path: Path, command: str, name: str, fault: str
) -> None:
    (tmp_path / "bad_nets.py").write_text(BAD_NETS)
    study = study_with(tmp_path, encoder=f"bad_nets:{name}")
    result = refused(command, study, tmp_path / "store")
    assert f"encoder: bad_nets:{name}: with channels=1, size=8: " in result.stderr
    assert fault in result.stderr


BAD_DATA = """
import numpy as np
from trainables.datasets.source import Source

def no_disk(data_root):
    raise OSError("disk on fire")

def beyond(data_root):
    return source(train_labels=np.arange(20) % 3)

def floats(data_root):
    return source(decode=lambda part, rows: np.zeros((len(rows), 1, 8, 8)))

def source(**fields):
    fields = dict(train_labels=np.arange(20) % 2, decode=None) | fields
    return Source(
        test_labels=np.arange(8) % 2, classes=("a", "b"), channels=1, size=8, fingerprint="x", views="digits",
        **fields
    )
"""


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("no_disk", "raises OSError: disk on fire; must be a function open_mine(data_root) that returns"),
        ("beyond", "train_labels: label 2 in row 2; allowed are 0 to 1, the places in classes, and -1"),
        (
            "floats",
            "decode('train', ...): got float64 (1, 1, 8, 8); allowed is uint8 (1, 1, 8, 8); must be a",
        ),
    ],
)
def test_a_wrong_data_set_ends_a_command_before_it_starts(
    tmp_path: Path, command: str, name: str, fault: str
) -> None:
    (tmp_path / "bad_data.py").write_text(BAD_DATA)
    result = refused(command, study_with(tmp_path, data=f"bad_data:{name}"), tmp_path / "store")
    assert f"data: bad_data:{name}: {fault}" in result.stderr
