"""Every kernel declares all that others ask of it, and what it declares holds for its values and slopes."""

import dataclasses
import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from tests.reference.kernels import LOOP_KERNELS
from trainables.kernels import KERNELS, Kernel
from trainables.kernels.kernel import KernelFunction
from trainables.loss_field import LossField
from trainables.sphere.known import is_optimum_known
from trainables.temperature import ActsAs, TemperatureLaw

EVERY_KERNEL = pytest.mark.parametrize("kernel", KERNELS.values(), ids=list(KERNELS))


def _values(kernel: Kernel) -> list[float]:
    """Values of `t` from the low to the high end of its range."""
    field = kernel.parameter
    low = field.at_least if field.at_least is not None else 1e-2
    high = 100.0 if field.at_most is None else min(field.at_most, 100.0)
    spaced = (
        torch.linspace
        if low < 0
        else lambda low, high, count: torch.logspace(*map(math.log10, (low, high)), count)
    )
    return [value for value in spaced(low, high, 20).tolist() if value]


def _slope(function: KernelFunction, squared_distance: float, t: float) -> float:
    """`dK / d(d^2)`."""
    distance = torch.tensor([squared_distance], dtype=torch.float64) * function.scale(t)
    terms = function.terms(distance, t)
    return float((terms.slope * terms.slope_factor).item())


@EVERY_KERNEL
def test_every_kernel_is_complete(kernel: Kernel) -> None:
    assert KERNELS[kernel.name] is kernel
    assert kernel.name in LOOP_KERNELS, "tests/reference/kernels.py lacks its loop version"
    assert kernel.formula
    assert kernel.source
    assert kernel.parameter.name == "t"
    assert kernel.parameter.doc
    kernel.parameter.check(kernel.parameter.default)
    assert kernel.acts_as.why
    known = any(kernel.optimum_known(t, simplex) for t in _values(kernel) for simplex in (False, True))
    assert bool(kernel.optimum_source) == known


def test_no_loop_version_is_left_over() -> None:
    assert set(LOOP_KERNELS) == set(KERNELS)


@EVERY_KERNEL
def test_the_declared_orientation_is_that_of_the_forces(kernel: Kernel) -> None:
    """A lower temperature raises the force between near points over that between far ones; so does a larger `t`."""
    ratios = [_slope(kernel.energy, 0.5, t) / _slope(kernel.energy, 1.0, t) for t in _values(kernel)]
    steps = [later - earlier for earlier, later in pairwise(ratios)]
    rises = kernel.acts_as.larger == "lower temperature"
    assert all(step > 0 if rises else step < 0 for step in steps)


#: The local temperature at squared distance q, as each kernel's docstring derives it.
LOCAL_TEMPERATURES: dict[str, Callable[[float, float], float]] = {
    "gaussian": lambda t, q: 1 / (2 * t),
    "log": lambda t, q: 1 / (2 * t) + q / 2,
    "imq": lambda t, q: (t * t + q) / 3,
    "riesz": lambda t, q: q / (t + 2),
    "gaussian_riesz": lambda t, q: q / (t + 2),
}


@EVERY_KERNEL
@pytest.mark.parametrize("t", [-1.0, 0.3, 2.0, 3.5])
def test_the_local_temperature_is_the_derived_one(kernel: Kernel, t: float) -> None:
    """`T(d) = -1 / (2 d log|K'| / d(d^2))` by central differences. A declared law gives it at every distance."""
    if t < 0 and not kernel.parameter.nonzero:
        return
    step, found = 1e-4, []
    for squared in (0.5, 1.0, 3.0):
        forces = [math.log(abs(_slope(kernel.energy, squared + side, t))) for side in (-step, step)]
        found.append(-1 / (2 * (forces[1] - forces[0]) / (2 * step)))
        assert found[-1] == pytest.approx(LOCAL_TEMPERATURES[kernel.name](t, squared), rel=1e-6)
    law = kernel.acts_as.law
    if law:
        assert found == pytest.approx([law.at(t)] * 3, rel=1e-6)
    else:  # it depends on the distance
        assert max(found) > 1.05 * min(found)


def test_a_kernel_without_a_declaration_is_refused() -> None:
    gaussian = KERNELS["gaussian"]
    declared = {each.name: getattr(gaussian, each.name) for each in dataclasses.fields(gaussian)}
    assert Kernel(**declared) == gaussian
    del declared["acts_as"]
    with pytest.raises(TypeError, match="acts_as"):
        Kernel(**declared)
    with pytest.raises(TypeError, match="law"):
        ActsAs(larger="lower temperature", why="none")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="disagree"):
        ActsAs(larger="higher temperature", law=TemperatureLaw(factor=0.5, power=-1.0), why="none")


@EVERY_KERNEL
def test_the_equivalent_temperature_is_that_of_the_kernel(kernel: Kernel) -> None:
    """`K / exp(u.v / T)` is the same at every distance, exactly where a temperature is declared."""
    law = kernel.acts_as.law
    for t in (0.3, 2.0):
        squared = torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)
        terms = kernel.energy.terms(squared * kernel.energy.scale(t), t)
        values = terms.value * terms.value_factor
        if law is None:  # no exponential: the logarithm is no line in the distance
            logs = values.abs().log()
            assert abs((logs[1] - logs[0]) / 0.8 - (logs[2] - logs[1]) / 2.0) > 1e-3
            continue
        cosine = 1 - torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64) / 2
        quotients = values / torch.exp(cosine / law.at(t))
        torch.testing.assert_close(quotients, quotients[:1].expand(3))


def test_the_optimum_of_a_new_kernel_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    gaussian = KERNELS["gaussian"]
    new = Kernel(
        name="new",
        formula="K",
        source="none",
        parameter=LossField(name="t", default=1.0, doc="width"),
        energy=gaussian.energy,
        alignment=gaussian.alignment,
        acts_as=gaussian.acts_as,
    )
    monkeypatch.setitem(KERNELS, "new", new)
    assert is_optimum_known("kcl", {"kernel": "gaussian"}, 8, 16)
    assert not is_optimum_known("kcl", {"kernel": "new"}, 8, 16)
