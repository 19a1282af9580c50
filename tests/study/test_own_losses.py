"""A user's own loss in a study: its three forms, what a plan refuses, and the code in the documentation."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.errors import StudyError
from study.spec.expand import TrialSet, expand, planned_rows
from study.spec.load import load_spec
from tests.study.running import invoke, start
from tests.trainables import own_forms
from trainables.own_code import use_own_folders
from trainables.store.records import RecordStore
from trainables.trial import run_trials

EXTENDING = Path(__file__).resolve().parents[2] / "docs" / "extending.md"

FORMS = own_forms.__name__

STUDY = """
name = "own"
task = "sphere"
seeds = [0]
[sphere]
n_pairs = 8
dim = 16
[training]
steps = 2
[axes]
batch_size = [4]
"""


@pytest.fixture(autouse=True)
def path_as_before() -> Iterator[None]:
    """Leaves no folder of a test among those of the user."""
    yield
    use_own_folders()


def study_with(folder: Path, tables: str) -> Path:
    path = folder / "own.toml"
    path.write_text(STUDY + tables)
    return path


def expanded(path: Path) -> TrialSet:
    return expand(load_spec(str(path)).spec, None)


def table_of(form: str, values: str = 'temperature = [0.2, 0.5]\nform = ["mean", "sum"]') -> str:
    return f'[losses."{FORMS}:{form}"]\n{values}\nlr = 0.1\n'


def documented(language: str) -> str:
    section = EXTENDING.read_text().partition("### A loss of your own")[2]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


def test_the_three_forms_of_the_documentation_give_equal_results(tmp_path: Path) -> None:
    """Its code and its tables, word by word."""
    (tmp_path / "my_losses.py").write_text(documented("python"))
    trial_set = expanded(study_with(tmp_path, documented("toml")))
    assert [arm.loss for arm in trial_set.arms] == [
        "my_losses:cross_entropy", "my_losses:CrossEntropy", "my_losses:CrossEntropyLoss"
    ]  # fmt: skip
    assert {arm.main_axis for arm in trial_set.arms} == {"temperature"}
    configs = [trial.config for trial in trial_set.trials]
    records = list(run_trials(configs, attempts=[0] * len(configs)))
    for name in ("train_loss_full", "z_uniformity"):
        values = [getattr(record, name) for record in records]
        assert values[:3] == values[3:6] == values[6:]
        assert len(set(values)) == 3


def test_the_forms_have_the_same_axes_ids_and_columns(tmp_path: Path) -> None:
    trial_set = expanded(study_with(tmp_path, "".join(map(table_of, ("Class", "Module", "function")))))
    assert [arm.axes for arm in trial_set.arms] == [trial_set.arms[0].axes] * 3
    assert trial_set.arms[0].axes["form"] == ("mean", "sum")
    assert len({trial.keys.trial_id for trial in trial_set.trials}) == 12
    rows = [
        {name: value for name, value in row.items() if name.startswith("hp_")}
        for row in planned_rows(trial_set)
    ]
    assert rows[:4] == rows[4:8] == rows[8:]
    assert (rows[0]["hp_temperature"], rows[0]["hp_form"], rows[0]["hp_weight"]) == (0.2, "mean", 1.0)
    default = [
        trial.config.loss.params for trial in trial_set.trials if trial.title.startswith(f"{FORMS}:function")
    ]
    assert default == [{"temperature": 0.2}, {"temperature": 0.2, "form": "sum"}, {}, {"form": "sum"}]


def test_a_list_is_planned_as_its_json_text(tmp_path: Path) -> None:
    """As tables of records have it, so that a bundle's table can group rows by it."""
    [row] = planned_rows(expanded(study_with(tmp_path, table_of("with_list", ""))))
    assert row["hp_weights"] == "[1.0, 2.0]"


OWN = """
import torch
from dataclasses import dataclass
from torch import nn

@dataclass(frozen=True, kw_only=True)
class TensorDefault:
    scale: torch.Tensor = torch.ones(2)

    def __call__(self, z_a, z_b):
        return (z_a - z_b).square().sum() * torch.as_tensor(self.scale).sum()

@dataclass(kw_only=True)
class Converted:
    scale: float = 1.0

    def __post_init__(self):
        self.scale = torch.tensor(self.scale)

    def __call__(self, z_a, z_b):
        return (z_a - z_b).square().sum() * self.scale

class Trained(nn.Module):
    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, z_a, z_b):
        return (z_a - z_b).square().sum() * self.scale

@dataclass(frozen=True, kw_only=True)
class Raises:
    scale: float = 1.0

    def __post_init__(self):
        raise KeyError("scale")

    def __call__(self, z_a, z_b):
        return (z_a - z_b).square().sum()

def per_pair(z_a, z_b, temperature=0.5):
    return (z_a - z_b).square().sum(1)

def with_setting(z_a, z_b, batch_size=4):
    return (z_a - z_b).square().sum()

def with_other(z_a, z_b, other=4):
    return (z_a - z_b).square().sum()

def needs(z_a, z_b, scale):
    return (z_a - z_b).square().sum() * scale
"""


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("TensorDefault", "", "field 'scale': got a tensor of shape (2,) of type Tensor, which a record cannot"),
        ("TensorDefault", "scale = [2.0]", "field 'scale': got a tensor of shape (2,) of type Tensor, which a rec"),
        ("Converted", "scale = [2.0]", "field 'scale': got 2.0 of type Tensor, which a record cannot hold; must be"),
        ("Trained", "", "has trainable parameters (scale), which no trial would train: a study"),
        ("Raises", "", "refused:Raises: KeyError: 'scale'"),
        ("per_pair", "temperature = [0.1]", "refused:per_pair at temperature = 0.1: on a trial batch of 4 pairs "),
        ("per_pair", "", "got a tensor of shape (4,), must be a finite scalar tensor; expected is loss(z_a, z_b) on"),
        ("with_setting", "", "field 'batch_size' has the name of a setting of training or of a column of records"),
        ("with_other", "", "field 'other' has the name of a setting of training or of a column of records"),
        ("needs", "", "missing 1 required keyword-only argument: 'scale'"),
        ("needs", "scael = 1.0", "scael: unknown key (did you mean scale?); allowed are scale, lr, loss"),
    ],
)  # fmt: skip
def test_a_plan_refuses_in_one_line(
    name: str, values: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is written."""
    monkeypatch.delitem(sys.modules, "refused", raising=False)  # of the test before
    (tmp_path / "refused.py").write_text(OWN)
    study = study_with(tmp_path, f'[losses.mine]\nloss = "refused:{name}"\n{values}\nlr = 0.1\n')
    result = invoke("plan", study, "--store", tmp_path / "store")
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert line.startswith(("study: own.toml: losses.mine: ", "study: own.toml: losses.mine."))
    assert f"refused:{name}" in line or values.startswith("scael")
    assert said in line
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
@pytest.mark.ray
def test_the_forms_have_equal_records_inline_and_with_ray(tmp_path: Path) -> None:
    """Ray's workers find the same ids from files beside the study, and refuse trials with other ids."""
    (tmp_path / "behind.py").write_text(Path(own_forms.__file__).read_text())
    (tmp_path / "forms.py").write_text("from behind import Class, Module, function\n")
    study = study_with(
        tmp_path, "".join(map(table_of, ("Class", "Module", "function"))).replace(FORMS, "forms")
    )
    values: dict[tuple[float, str], set[tuple[float, float]]] = {}
    ids = []
    for runner in ("inline", "ray"):
        store = tmp_path / runner
        output, _ = (process := start(study, store, "--runner", runner)).communicate(timeout=280)
        assert process.returncode == 0, output
        rows = RecordStore(store).read().table.to_pylist()
        assert [row["status"] for row in rows] == ["ok"] * 12
        ids.append(sorted(row["trial_id"] for row in rows))
        for row in rows:
            found = values.setdefault((row["hp_temperature"], row["hp_form"]), set())
            found.add((row["train_loss_full"], row["z_uniformity"]))
    assert ids[0] == ids[1]
    assert {key: len(found) for key, found in values.items()} == {
        (t, form): 1 for t in (0.2, 0.5) for form in ("mean", "sum")
    }


SIZED = """
import torch

def weighted(z_a, z_b):
    return ((z_a - z_b).square() * torch.ones(16)).sum(1).mean()

def eight_pairs(z_a, z_b):
    return torch.nn.functional.cross_entropy(z_a @ z_b.T, torch.arange(8))
"""


@pytest.mark.parametrize(
    ("name", "sizes", "shape"),
    [
        ("weighted", "n_pairs = 8\ndim = 8", "4 pairs in 8"),
        ("weighted", "n_pairs = 8\ndim = 16", ""),
        ("eight_pairs", "n_pairs = 8\ndim = 16", "4 pairs in 16"),
    ],
)
def test_a_loss_is_tried_on_the_sizes_of_the_study(
    name: str, sizes: str, shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "sized", raising=False)
    (tmp_path / "sized.py").write_text(SIZED)
    study = study_with(tmp_path, f'[losses.mine]\nloss = "sized:{name}"\nlr = 0.1\n')
    study.write_text(study.read_text().replace("n_pairs = 8\ndim = 16", sizes))
    if not shape:
        assert len(expanded(study).trials) == 1
        return
    with pytest.raises(
        StudyError, match=f"^losses.mine: sized:{name}: on a trial batch of {shape} dimensions: "
    ):
        expanded(study)
