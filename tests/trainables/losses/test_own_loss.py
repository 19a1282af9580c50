"""A user's own loss comes in by import path, and a bad one is refused before anything runs."""

import dataclasses
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from search_spaces.loss_params import field_acts_as
from trainables.losses import build_loss, resolve_loss
from trainables.losses.own_loss import check_storable, check_trial_batch
from trainables.temperature import TemperatureLaw

_CALL = r"expected is loss\(z_a, z_b\) on unit-norm \(M, d\) views, which returns a finite scalar tensor"

_MODULE = """
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import nn

@dataclass(frozen=True, kw_only=True)
class Margin:
    margin: float = 0.1

    def __call__(self, z_a, z_b):
        return (self.margin - (z_a * z_b).sum(-1)).relu().mean()

class MarginModule(nn.Module):
    def __init__(self, margin: float = 0.1, **ignored):
        super().__init__()
        self.margin = margin
        self.register_buffer("one", torch.ones(()))

    def forward(self, z_a, z_b):
        return (self.margin - (z_a * z_b).sum(-1) * self.one).relu().mean()

def margin_function(z_a, z_b, margin=0.1):
    return (margin - (z_a * z_b).sum(-1)).relu().mean()

class Needs(nn.Module):
    def __init__(self, margin: float, sign=-1):
        super().__init__()

    def forward(self, z_a, z_b):
        return (z_a * z_b).sum()

class Random(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("weights", torch.randn(16))

    def forward(self, z_a, z_b):
        return (z_a * z_b * self.weights).sum()

class Trained(nn.Module):
    def __init__(self, scale=1.0):
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(scale))

    def forward(self, z_a, z_b):
        return (z_a * z_b).sum() * self.log_scale

class Fixed(Trained):
    def __init__(self, scale=1.0):
        super().__init__(scale)
        self.requires_grad_(False)

class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, z_a, z_b):
        self.calls += 1
        return (z_a * z_b).sum() / self.calls

@dataclass
class TrainedInside:
    def __post_init__(self):
        self.head = nn.Linear(16, 1)

    def __call__(self, z_a, z_b):
        return self.head(z_a * z_b).mean()

class Shapeless(nn.Module):
    pass

class Plain:
    def __call__(self, z_a, z_b):
        return z_a.sum()

@dataclass
class Mute:
    margin: float = 0.1

def views_by_name(*, z_a, z_b):
    return z_a.sum()

def one_view(z_a):
    return z_a.sum()

def by_place(z_a, z_b, margin=0.1, /):
    return z_a.sum()

def tensor_default(z_a, z_b, scale=torch.ones(2)):
    return z_a.sum()

def default_first(z_a, temperature=0.5):
    return z_a.sum() / temperature

class DefaultForward(nn.Module):
    def forward(self, z_a, temperature=0.5):
        return z_a.sum() / temperature

@dataclass
class DefaultCall:
    def __call__(self, z_a, temperature=0.5):
        return z_a.sum() / temperature

@dataclass(frozen=True, kw_only=True)
class Scaled(Margin):
    equivalent_temperature = {"margin": (0.5, -1)}

class ScaledModule(MarginModule):
    equivalent_temperature = {"margin": (0.5, -1)}

def scaled_function(z_a, z_b, margin=0.1):
    return margin_function(z_a, z_b, margin)

scaled_function.equivalent_temperature = {"margin": (0.5, -1)}

class NoTable(MarginModule):
    equivalent_temperature = 2.0

class NoField(MarginModule):
    equivalent_temperature = {"width": (0.5, -1)}

class NoLaw(MarginModule):
    equivalent_temperature = {"margin": (0.5, 0)}

class NoNumber(MarginModule):
    equivalent_temperature = {"margin": "1/2t"}

bound = partial(margin_function, margin=2.0)
built = MarginModule()
listed = [margin_function]
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


@pytest.mark.parametrize("name", ["MarginModule", "margin_function"])
def test_modules_and_functions_are_losses_like_the_dataclass(name: str, module: str) -> None:
    """The same fields with the same defaults, and to the bit the same values and gradients."""
    own = resolve_loss(f"{module}:{name}")
    assert own is resolve_loss(f"{module}:{name}")
    assert [(field.name, field.default) for field in dataclasses.fields(own)] == [("margin", 0.1)]
    z = torch.nn.functional.normalize(
        torch.randn(2, 8, 4, generator=torch.Generator().manual_seed(1)), dim=-1
    )
    for margin in (0.1, 0.7):
        results = []
        for loss in (build_loss(f"{module}:{each}", margin=margin) for each in ("Margin", name)):
            views = z.clone().requires_grad_()
            value = loss(*views)
            results.append((value, *torch.autograd.grad(value, views)))
            assert dataclasses.asdict(loss) == {"margin": margin}
            check_trial_batch(loss)
            check_storable(loss, "mine")
        assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    with pytest.raises(ValueError, match="got field 'width', must be one of margin"):
        build_loss(f"{module}:{name}", width=1.0)


@pytest.mark.parametrize("name", ["Scaled", "ScaledModule", "scaled_function"])
def test_an_own_loss_may_declare_an_equivalent_temperature(name: str, module: str) -> None:
    decides, acts = field_acts_as(f"{module}:{name}", "margin")
    assert (decides, acts[""].larger) == ("", "lower temperature")
    assert acts[""].law == TemperatureLaw(factor=0.5, power=-1.0)
    assert build_loss(f"{module}:{name}", margin=2.0)(torch.eye(4), torch.eye(4)) == 1.0
    assert field_acts_as(f"{module}:Margin", "margin") == ("", {})


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("NoTable", "equivalent_temperature: got 2.0, must be a table"),
        ("NoField", "equivalent_temperature: got 'width', must be one of margin"),
        ("NoLaw", "equivalent_temperature.margin: got .*, must be a pair"),
        ("NoNumber", "equivalent_temperature.margin: got '1/2t', must be a pair"),
    ],
)
def test_a_bad_equivalent_temperature_is_refused(name: str, fault: str, module: str) -> None:
    with pytest.raises(ValueError, match=f"^loss: got '{module}:{name}', {fault}"):
        resolve_loss(f"{module}:{name}")


def test_parameters_without_a_default_are_hyperparameters_too(module: str) -> None:
    fields = dataclasses.fields(resolve_loss(f"{module}:Needs"))
    assert [(field.name, field.default) for field in fields] == [
        ("margin", dataclasses.MISSING),
        ("sign", -1),
    ]
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'margin'"):
        build_loss(f"{module}:Needs", sign=1)


def test_random_buffers_are_the_same_in_every_trial(module: str) -> None:
    """And building a loss leaves the random numbers of the process as they are."""
    z = torch.eye(4, 16)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = build_loss(f"{module}:Random")(z, z)
    assert torch.equal(torch.rand(3), expected)
    assert build_loss(f"{module}:Random")(z, z) == first


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_buffers_follow_the_views(module: str) -> None:
    views = torch.eye(4, device="cuda")
    assert build_loss(f"{module}:MarginModule", margin=2.0)(views, views).item() == 1.0


def test_parameters_that_are_not_trained_are_allowed(module: str) -> None:
    loss = build_loss(f"{module}:Fixed", scale=2.0)
    check_trial_batch(loss)
    assert loss(torch.eye(4), torch.eye(4)).item() == 8.0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Trained", r"has trainable parameters \(log_scale\), which no trial would train: a study compares losses"),
        ("TrainedInside", r"mine: has trainable parameters \(weight, bias\), which no trial would train: a study"),
        ("Counting", "mine: a call changes the buffer 'calls'; a loss depends on its two views and its hyper"),
    ],
)  # fmt: skip
def test_losses_that_train_or_keep_state_are_refused(name: str, message: str, module: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        check_trial_batch(build_loss(f"{module}:{name}"), "mine")
    assert "\n" not in str(caught.value)


class _Text(str):
    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class _Holding:
    """Has a field with any value."""

    value: object

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        return (z_a * z_b).sum()


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -3,
        2**53,
        0.1,
        1e300,
        "",
        "released",
        "\u00e9t\u00e9",
        (1, 0.5),
        [["a"], None],
        {"a": {"b": [True]}},
    ],
)
def test_values_that_a_record_holds(value: object) -> None:
    check_storable(_Holding(value=value), "mine")
    assert json.loads(json.dumps(value, allow_nan=False)) == (
        list(value) if isinstance(value, tuple) else value
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (torch.ones(2, 3), r"a tensor of shape \(2, 3\) of type Tensor"),
        (torch.tensor(0.5), "0.5 of type Tensor"),
        (np.ones(2), r"array\(\[1., 1.\]\) of type ndarray"),
        (np.float64(0.5), r"np.float64\(0.5\) of type float64"),
        (np.int64(1), r"np.int64\(1\) of type int64"),
        (float("nan"), "nan of type float"),
        (float("-inf"), "-inf of type float"),
        (2**53 + 1, "9007199254740993 of type int"),
        (1j, "1j of type complex"),
        ((1, 2j), r"\(1, 2j\) of type tuple"),
        ([1, [torch.ones(())]], r"\[1, \[tensor\(1.\)\]\] of type list"),
        ({"a": np.ones(1)}, r"\{'a': array\(\[1.\]\)\} of type dict"),
        ({1: "a"}, r"\{1: 'a'\} of type dict"),
        ({1}, r"\{1\} of type set"),
        (b"x", "b'x' of type bytes"),
        (Path("x"), r"PosixPath\('x'\) of type PosixPath"),
        (torch.relu, "<built-in method relu of type object at .*> of type builtin_function_or_method"),
        (torch.float32, "torch.float32 of type dtype"),
        (_Text("x"), "'x' of type _Text"),
        ("two\nlines", r"'two\\nlines' of type str"),
        ("\ud800", r"'\\ud800' of type str"),
        ([1j] * 100, r"\[(1j, )+1?\.\.\. of type list"),
    ],
)
def test_values_that_no_record_holds_are_refused(value: object, shown: str) -> None:
    expected = (
        rf"^mine: field 'value': got {shown}, which a record cannot hold; must be a finite number \(a whole one at "
        r"most 2\*\*53\), a printable text, true, false, None, or a list or table of these$"
    )
    with pytest.raises(ValueError, match=expected):
        check_storable(_Holding(value=value), "mine")


def test_a_field_without_a_value_is_refused() -> None:
    @dataclass
    class Unset:
        value: float = dataclasses.field(init=False)

    with pytest.raises(ValueError, match=r"^mine: field 'value': has no value after the loss is built$"):
        check_storable(Unset(), "mine")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere_at_all:Margin", "fails to import: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("own_losses_example:Nothing", "fails to import: AttributeError: .* has no attribute 'Nothing'"),
        ("broken_losses_example:Margin", "fails to import: ZeroDivisionError: division by zero"),
        (":Margin", "must be an import path such as my_package.my_module:Name"),
        ("own_losses_example:", "must be an import path such as my_package.my_module:Name"),
        ("own_losses_example:Plain", r"must be a dataclass with __call__\(self, z_a, z_b\), a class of torch"),
        ("own_losses_example:bound", r"must be .*, or a function f\(z_a, z_b, temperature=0.5\); fields and"),
        ("own_losses_example:built", r"must be .* a class of torch.nn.Module with forward\(self, z_a, z_b\)"),
        ("own_losses_example:listed", "must be a dataclass with __call__"),
        ("own_losses_example:Mute", r"must define __call__\(self, z_a, z_b\); a loss is a dataclass"),
        ("own_losses_example:Shapeless", r"must define forward\(self, z_a, z_b\); a loss is a dataclass"),
        ("own_losses_example:views_by_name", "must take the two views first; a loss is a dataclass"),
        ("own_losses_example:one_view", "must take the two views first; a loss is a dataclass"),
        ("own_losses_example:default_first",
         r"parameter 'temperature' is a view, as one of the first two, and must not have a default; a loss is"),
        ("own_losses_example:DefaultForward",
         r"parameter 'temperature' is a view, as one of the first two, and must not have a default; a loss is"),
        ("own_losses_example:DefaultCall",
         r"parameter 'temperature' is a view, as one of the first two, and must not have a default; a loss is"),
        ("own_losses_example:by_place", "parameter 'margin' must not be positional-only; a loss is"),
        ("own_losses_example:tensor_default",
         r"parameter 'scale': got a tensor of shape \(2,\) of type Tensor, which a record cannot hold; must be a "),
    ],
)  # fmt: skip
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
            "bad gradient": lambda: ((z_a - z_a.detach()).sum()).abs().sqrt() + z_b.sum(),
            "one view": lambda: (z_a * z_b.detach()).sum(),
            "no view": lambda: (z_a * z_b).detach().sum() * torch.ones((), requires_grad=True),
            "exit": lambda: sys.exit("stop"),
            "exception": lambda: z_a @ z_b,
        }[self.kind]()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("nan", f"got nan, must be a finite scalar tensor; {_CALL}"),
        ("vector", rf"got a tensor of shape \(8,\), must be a finite scalar tensor; {_CALL}"),
        ("float", "got .*, must be a finite scalar tensor"),
        ("constant", f"got a value without a gradient for z_a and z_b; {_CALL}"),
        ("bad gradient", "got a gradient for z_a that is not finite, must be finite"),
        ("no view", f"got a value without a gradient for z_a and z_b; {_CALL}"),
        ("exception", f"RuntimeError: .*mat1 and mat2 shapes cannot be multiplied.*; {_CALL}"),
        ("exit", f"SystemExit: stop; {_CALL}"),
    ],
)
def test_calls_that_are_refused(kind: str, message: str) -> None:
    with pytest.raises(
        ValueError, match=f"^mine: on a trial batch of 8 pairs in 16 dim.*: .*{message}"
    ) as caught:
        check_trial_batch(_Returning(kind=kind), "mine")  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_trial_batch_has_the_shape_that_is_asked_for() -> None:
    """A loss for batches and dimensions of the study passes, and no other."""

    def fixed(z_a: Tensor, z_b: Tensor) -> Tensor:
        weights, rows = torch.ones(8), torch.arange(4)
        return ((z_a - z_b) * weights).square()[rows].sum() + 0 * (z_a.sum(1) * rows).sum()

    check_trial_batch(fixed, pairs=4, dim=8)
    for pairs, dim in ((4, 16), (8, 8)):
        with pytest.raises(
            ValueError, match=f"^mine: on a trial batch of {pairs} pairs in {dim} dimensions: Runt"
        ):
            check_trial_batch(fixed, "mine", pairs=pairs, dim=dim)


class _Counts:
    calls = 0

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        self.calls += 1
        return self.calls + 0 * (z_a * z_b).sum()


def _constant(value: float) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda z_a, z_b: value + 0 * (z_a * z_b).sum()


@pytest.mark.parametrize(
    ("loss", "again", "values"),
    [
        (_Counts(), None, "1.0 and 2.0"),
        (_constant(1.0), _constant(3.0), "1.0 and 3.0"),
        (lambda z_a, z_b: (z_a * z_b).sum() * torch.rand(()), None, ".* and .*"),
        (lambda z_a, z_b: (z_a * z_b).sum() * float(np.random.rand()), None, ".* and .*"),  # noqa: NPY002
        (lambda z_a, z_b: torch.nn.functional.dropout(z_a * z_b).sum(), None, ".* and .*"),
    ],
)
def test_a_loss_that_depends_on_more_than_its_views_is_refused(
    loss: Callable[[Tensor, Tensor], Tensor], again: Callable[[Tensor, Tensor], Tensor] | None, values: str
) -> None:
    expected = (
        f"two calls on one batch give different values: {values}; a loss depends on its two views and its hyp"
    )
    with pytest.raises(ValueError, match=f"^mine: on a trial batch .*: {expected}"):
        check_trial_batch(loss, "mine", again=again)


@pytest.mark.parametrize("change", [lambda z: z.mul_(2), lambda z: z.data.mul_(2)])
def test_a_loss_that_changes_a_view_is_refused(change: Callable[[Tensor], Tensor]) -> None:
    def loss(z_a: Tensor, z_b: Tensor) -> Tensor:
        change(z_b)
        return (z_a * z_b).sum()

    with pytest.raises(
        ValueError, match=r"the call changes z_b in place; it must leave its views as they are$"
    ):
        check_trial_batch(loss, "mine")


def test_a_loss_may_stop_the_gradient_of_one_view() -> None:
    loss = _Returning(kind="one view")
    check_trial_batch(loss, "mine")  # type: ignore[arg-type]
    z_a, z_b = torch.eye(4).requires_grad_(), torch.eye(4).requires_grad_()
    value = loss(z_a, z_b)
    assert isinstance(value, Tensor)
    value.backward()
    assert z_a.grad is not None
    assert z_a.grad.tolist() == torch.eye(4).tolist()
    assert z_b.grad is None
