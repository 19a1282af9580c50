"""Losses compute in float32 whatever surrounds them."""

from collections.abc import Iterator

import pytest
import torch

from tests.trainables.losses.cases import FAMILY, KERNELS, Configuration, name_of, views
from trainables.losses import build_loss
from trainables.losses.precision import exact_arithmetic

_CONFIGURATIONS = [*FAMILY[:5], KERNELS[0], ("ntxent", {"temperature": 0.005})]


def _value_and_gradient(
    configuration: Configuration, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    name, fields = configuration
    z = torch.stack(views("close", 64, d=32)).to(dtype).requires_grad_()
    value = build_loss(name, **fields)(z[0], z[1])
    return value.detach(), torch.autograd.grad(value, z)[0]


@pytest.fixture
def coarse_products() -> Iterator[None]:
    """float32 products may be made in bfloat16 or TF32, as `set_float32_matmul_precision("medium")` allows."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("configuration", _CONFIGURATIONS, ids=name_of)
def test_autocast_changes_nothing(configuration: Configuration) -> None:
    expected = _value_and_gradient(configuration, torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (torch.eye(2) @ torch.eye(2)).dtype == torch.bfloat16
        found = _value_and_gradient(configuration, torch.float32)
        per_anchor = build_loss(configuration[0], **configuration[1]).per_anchor(*views("close", 8, d=4))
    assert per_anchor.dtype == torch.float64
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("configuration", _CONFIGURATIONS, ids=name_of)
def test_coarse_products_change_nothing_and_stay_as_they_were(
    configuration: Configuration, request: pytest.FixtureRequest
) -> None:
    expected = _value_and_gradient(configuration, torch.float32)
    request.getfixturevalue("coarse_products")
    found = _value_and_gradient(configuration, torch.float32)
    assert torch.get_float32_matmul_precision() == "medium"
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


@pytest.mark.usefixtures("coarse_products")
def test_the_guard_switches_both_off_and_back_on_after_an_error() -> None:
    matmul = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = matmul.fp32_precision
    assert before == "bf16"

    def fail_within() -> None:
        with exact_arithmetic("cpu"):
            assert matmul.fp32_precision == "ieee"
            assert not torch.is_autocast_enabled("cpu")
            raise RuntimeError("stop")

    with torch.autocast("cpu", dtype=torch.bfloat16):
        with pytest.raises(RuntimeError, match="stop"):
            fail_within()
        assert torch.is_autocast_enabled("cpu")
    assert matmul.fp32_precision == before


@pytest.mark.parametrize("configuration", _CONFIGURATIONS, ids=name_of)
def test_half_precision_views_are_only_stored_so(configuration: Configuration) -> None:
    name, fields = configuration
    value, gradient = _value_and_gradient(configuration, torch.bfloat16)
    assert value.dtype == torch.float32
    assert gradient.dtype == torch.bfloat16
    rounded = torch.stack(views("close", 64, d=32)).bfloat16().float()
    assert torch.equal(build_loss(name, **fields)(rounded[0], rounded[1]), value)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("configuration", _CONFIGURATIONS, ids=name_of)
def test_cuda_agrees_with_the_cpu(configuration: Configuration) -> None:
    name, fields = configuration
    loss = build_loss(name, **fields)
    z = torch.stack(views("close", 64, d=32)).float()
    on_gpu = z.cuda().requires_grad_()
    torch.set_float32_matmul_precision("high")
    try:
        value = loss(on_gpu[0], on_gpu[1])
        (gradient,) = torch.autograd.grad(value, on_gpu)
    finally:
        torch.set_float32_matmul_precision("highest")
    z.requires_grad_()
    expected = loss(z[0], z[1])
    (expected_gradient,) = torch.autograd.grad(expected, z)
    torch.testing.assert_close(value.cpu(), expected, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(gradient.cpu(), expected_gradient, rtol=1e-3, atol=1e-4)
