"""A user's own loss comes in by import path, and a bad one is refused before anything runs."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from trainables.losses import build_loss, resolve_loss
from trainables.losses.own_loss import check_trial_batch

_MODULE = """
from dataclasses import dataclass

@dataclass(frozen=True, kw_only=True)
class Margin:
    margin: float = 0.1

    def __call__(self, z_a, z_b):
        return (self.margin - (z_a * z_b).sum(-1)).relu().mean()

class Plain:
    def __call__(self, z_a, z_b):
        return z_a.sum()

@dataclass
class Mute:
    margin: float = 0.1

def function(z_a, z_b):
    return z_a.sum()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_losses_example.py").write_text(_MODULE)
    (tmp_path / "broken_losses_example.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "own_losses_example"


def test_an_own_loss_is_built_like_any_other(module: str) -> None:
    loss = build_loss(f"{module}:Margin", margin=2.0)
    z = torch.eye(4)
    assert loss(z, z) == 1.0
    assert resolve_loss(f"{module}:Margin") is type(loss)
    check_trial_batch(loss)
    with pytest.raises(ValueError, match="got field 'width', must be one of margin"):
        build_loss(f"{module}:Margin", width=1.0)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere_at_all:Margin", "fails to import: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("own_losses_example:Nothing", "fails to import: AttributeError: .* has no attribute 'Nothing'"),
        ("broken_losses_example:Margin", "fails to import: ZeroDivisionError: division by zero"),
        (":Margin", "must be an import path such as my_package.my_module:Name"),
        ("own_losses_example:", "must be an import path such as my_package.my_module:Name"),
        ("own_losses_example:Plain", "must be a dataclass whose fields are its hyperparameters"),
        ("own_losses_example:function", "must be a dataclass whose fields are its hyperparameters"),
        ("own_losses_example:Mute", r"must define __call__\(self, z_a, z_b\)"),
    ],
)
@pytest.mark.usefixtures("module")
def test_paths_that_are_refused(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^loss: got '{path}', .*{message}") as caught:
        resolve_loss(path)
    assert "\n" not in str(caught.value)


@dataclass(frozen=True, kw_only=True)
class _Returning:
    """Returns what it is told to."""

    kind: str

    def __call__(self, z_a: Tensor, z_b: Tensor) -> object:
        return {
            "nan": lambda: (z_a * z_b).sum() * torch.nan,
            "vector": lambda: (z_a * z_b).sum(-1),
            "float": lambda: float((z_a * z_b).sum().detach()),
            "constant": lambda: torch.tensor(1.0),
            "bad gradient": lambda: ((z_a - z_a.detach()).sum()).abs().sqrt(),
            "exception": lambda: z_a @ z_b,
        }[self.kind]()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("nan", "must be a finite scalar tensor"),
        ("vector", "must be a finite scalar tensor"),
        ("float", "must be a finite scalar tensor"),
        ("constant", "RuntimeError: element 0 of tensors does not require grad"),
        ("bad gradient", "got a gradient that is not finite"),
        ("exception", "RuntimeError: .*mat1 and mat2 shapes cannot be multiplied"),
    ],
)
def test_calls_that_are_refused(kind: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^mine: on a trial batch of 8 pairs: .*{message}") as caught:
        check_trial_batch(_Returning(kind=kind), "mine")  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
