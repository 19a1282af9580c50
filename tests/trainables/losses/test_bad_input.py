"""Bad input ends in a `ValueError` that names the argument, what came and what is allowed."""

import re
from typing import Any

import pytest
import torch

from tests.trainables.losses.cases import ALL, Configuration, name_of, views
from trainables.losses import LOSSES, build_loss, resolve_loss
from trainables.losses.views import check_views


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), True, "0.5", None, [0.1, 0.2]])
@pytest.mark.parametrize("name", [name for name in LOSSES if name not in ("kcl", "general")])
def test_temperatures_that_are_refused(name: str, value: Any) -> None:
    message = f"temperature: got {value!r}, must be a finite number > 0"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        build_loss(name, temperature=value)


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("dhel", {"form": "full"}, "form: got 'full', must be one of released, halved, one_view"),
        ("dhel", {"form": 1}, "form: got 1, must be one of released, halved, one_view"),
        (
            "dhel",
            {"energy_weight": -0.1},
            "energy_weight: got -0.1, must be a finite number >= 0 and <= 1e+06",
        ),
        ("infonce", {"form": "both"}, "form: got 'both', must be one of symmetric, one_sided"),
        (
            "kcl",
            {"kernel": "laplace"},
            "kernel: got 'laplace', must be one of gaussian, log, imq, riesz, gaussian_riesz",
        ),
        ("kcl", {"t": 0.0}, "t: got 0.0, must be a finite number > 0 and <= 10000 for kernel gaussian"),
        ("kcl", {"t": True}, "t: got True, must be a finite number"),
        (
            "kcl",
            {"t": 5.0, "kernel": "riesz"},
            "t: got 5.0, must be a finite number >= -4 and <= 4 and not 0 for kernel riesz",
        ),
        (
            "kcl",
            {"t": 0.0, "kernel": "riesz"},
            "t: got 0.0, must be a finite number >= -4 and <= 4 and not 0 for kernel riesz",
        ),
        (
            "kcl",
            {"t": -1.0, "kernel": "imq"},
            "t: got -1.0, must be a finite number >= 0.01 and <= 100 for kernel imq",
        ),
        ("kcl", {"gamma": -1.0}, "gamma: got -1.0, must be a finite number >= 0 and <= 1e+06"),
        (
            "general",
            {"phi": "cube"},
            "phi: got 'cube', must be one of linear, hinge, quadratic, exp, softplus, sigmoid",
        ),
        (
            "general",
            {"phi": "linear"},
            "phi: got 'linear', must give values >= 0 for psi log1p, but gives any value",
        ),
        (
            "general",
            {"phi": "hinge", "psi": "log"},
            "phi: got 'hinge', must give values > 0 for psi log, but gives values >= 0",
        ),
        (
            "general",
            {"psi": "identity", "temperature": 0.01},
            "temperature: got 0.01, must be a finite number >= 0.03 for phi exp and psi identity",
        ),
        ("general", {"c1": 0.0, "c2": 0.0}, "c1 + c2: got 0.0, must be a finite number > 0"),
        ("ntxent", {"tau": 0.5}, "ntxent: got field 'tau', must be one of temperature"),
        ("kcl", {"temperature": 0.5}, "kcl: got field 'temperature', must be one of kernel, t, gamma"),
        ("simclr", {}, "loss: got 'simclr', must be one of " + ", ".join(LOSSES) + ", or module:Name"),
        (
            "ntxent",
            {"temperature": torch.tensor([0.1, 0.0])},
            "temperature: got 0.0, must be a finite number > 0",
        ),
        (
            "ntxent",
            {"temperature": torch.tensor(0.1, requires_grad=True)},
            "temperature: got a tensor that requires a gradient, must be constant",
        ),
    ],
    ids=str,
)
def test_fields_that_are_refused(name: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        build_loss(name, **fields)


def test_positional_fields_and_assignment_are_refused() -> None:
    with pytest.raises(TypeError):
        LOSSES["ntxent"](0.5)
    with pytest.raises(AttributeError):
        build_loss("ntxent").temperature = 0.1


def test_resolve_loss_knows_every_name() -> None:
    assert {name: resolve_loss(name) for name in LOSSES} == LOSSES


@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_views_that_every_call_refuses(configuration: Configuration) -> None:
    name, fields = configuration
    loss = build_loss(name, **fields)
    z_a, z_b = views("random", 4, d=3)
    for bad_a, bad_b, message in (
        (z_a[0], z_b[0], "z_a: got shape (3,), must be (M, d) or (K, M, d)"),
        (z_a[None, None], z_b[None, None], "z_a: got shape (1, 1, 4, 3), must be (M, d) or (K, M, d)"),
        (z_a, z_b[:3], "z_b: got shape (3, 3), must be z_a's (4, 3)"),
        (z_a[:1], z_b[:1], "z_a: got M = 1 pairs, must be at least 2"),
        (z_a.long(), z_b.long(), "z_a, z_b: got torch.int64 and torch.int64, must be floating point"),
        (z_a, z_b.bool(), "z_a, z_b: got torch.float64 and torch.bool, must be floating point"),
    ):
        for call in (loss, loss.per_anchor):
            with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
                call(bad_a, bad_b)


def test_check_views_refuses_rows_that_are_not_unit_norm() -> None:
    z_a, z_b = views("random", 4, d=3)
    check_views(z_a, z_b)
    check_views(z_a[None], z_b[None])
    check_views(z_a.bfloat16(), z_b.bfloat16())
    longer = z_b.clone()
    longer[2] *= 1.02
    with pytest.raises(ValueError, match=r"^z_b: got norm 1\.02 in row 2, must be 1 within 0\.01$"):
        check_views(z_a, longer)
    for value in (torch.nan, torch.inf):
        broken = z_a.clone()
        broken[3, 0] = value
        with pytest.raises(ValueError, match=f"^z_a: got norm {value} in row 3, must be 1 within"):
            check_views(broken, z_b)
    with pytest.raises(ValueError, match=r"^z_b: got shape"):
        check_views(z_a, z_b[:2])
