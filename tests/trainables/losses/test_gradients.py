"""Analytic gradients under autograd's own rules."""

import pytest
import torch

from tests.trainables.losses.cases import ALL, Configuration, name_of, views
from trainables.losses import build_loss


@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_gradcheck(configuration: Configuration) -> None:
    name, fields = configuration
    loss = build_loss(name, **fields)
    z_a, z_b = (z.requires_grad_() for z in views("random", 5, d=4))
    assert torch.autograd.gradcheck(loss.per_anchor, (z_a, z_b))
    if not name.startswith("flatnce"):  # whose value is constant on purpose
        assert torch.autograd.gradcheck(loss, (z_a, z_b))
    stacked = torch.stack([z_a, z_b]).detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss.per_anchor(z, z.flip(0)), (stacked,))


@pytest.mark.parametrize("name", ["ntxent", "infonce", "dhel"])
def test_gradcheck_at_low_temperature(name: str) -> None:
    # the log-sums shifted by their maxima; float64 shifts below T = 1/690
    loss = build_loss(name, temperature=0.001)
    z_a, z_b = (z.requires_grad_() for z in views("close", 4, d=3))
    assert torch.autograd.gradcheck(loss, (z_a, z_b), eps=1e-8, atol=1e-3, rtol=1e-4)
    assert torch.autograd.gradcheck(loss.per_anchor, (z_a, z_b), eps=1e-8, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_a_second_derivative_is_a_clear_error(configuration: Configuration) -> None:
    name, fields = configuration
    loss = build_loss(name, **fields)
    for call in (loss, lambda a, b: loss.per_anchor(a, b).sum()):
        z_a, z_b = (z.requires_grad_() for z in views("random", 4, d=3))
        value = call(z_a, z_b)
        with pytest.raises(RuntimeError, match="create_graph=True is not supported"):
            torch.autograd.grad(value, z_a, create_graph=True)


def test_the_value_is_the_mean_of_the_anchors_values() -> None:
    z_a, z_b = views("random", 5, d=4)
    for name, fields in ALL:
        loss = build_loss(name, **fields)
        if not name.startswith("flatnce"):
            torch.testing.assert_close(loss(z_a, z_b), loss.per_anchor(z_a, z_b).mean())


def test_one_view_may_be_constant() -> None:
    z_a, z_b = views("random", 5, d=4)
    z_a.requires_grad_()
    loss = build_loss("ntxent")
    both = torch.stack([z_a.detach(), z_b]).requires_grad_()
    (expected,) = torch.autograd.grad(loss(both[0], both[1]), both)
    (gradient,) = torch.autograd.grad(loss(z_a, z_b), z_a)
    torch.testing.assert_close(gradient, expected[0])


def test_backward_twice_over_a_kept_graph_gives_the_same() -> None:
    z_a, z_b = (z.requires_grad_() for z in views("random", 5, d=4))
    value = build_loss("kcl")(z_a, z_b)
    first = torch.autograd.grad(value, (z_a, z_b), retain_graph=True)
    second = torch.autograd.grad(3 * value, (z_a, z_b))
    for one, three in zip(first, second, strict=True):
        torch.testing.assert_close(three, 3 * one)


def test_a_gradient_changed_in_place_is_not_handed_out_again() -> None:
    z_a, z_b = (z.requires_grad_() for z in views("random", 5, d=4))
    value = build_loss("kcl")(z_a, z_b)
    torch.autograd.grad(value, (z_a, z_b), retain_graph=True)[1].mul_(2.0)
    with pytest.raises(RuntimeError, match="changed in place"):
        torch.autograd.grad(value, (z_a, z_b))


def test_gradients_accumulated_in_leaves_are_their_own() -> None:
    z_a, z_b = (z.requires_grad_() for z in views("random", 5, d=4))
    value = build_loss("kcl")(z_a, z_b)
    value.backward(retain_graph=True)
    first = z_a.grad.clone()
    z_a.grad.zero_()
    value.backward()
    assert torch.equal(z_a.grad, first)


@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_inputs_are_left_as_they_were(configuration: Configuration) -> None:
    name, fields = configuration
    z_a, z_b = (z.requires_grad_() for z in views("random", 5, d=4))
    before = z_a.detach().clone(), z_b.detach().clone()
    build_loss(name, **fields)(z_a, z_b).backward()
    assert torch.equal(z_a, before[0])
    assert torch.equal(z_b, before[1])


@pytest.mark.parametrize("configuration", ALL, ids=name_of)
def test_a_nan_in_one_row_is_not_hidden(configuration: Configuration) -> None:
    name, fields = configuration
    z_a, z_b = views("random", 5, d=4)
    z_a[2, 1] = torch.nan
    assert build_loss(name, **fields)(z_a, z_b).isnan()
