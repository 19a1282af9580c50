"""Cells of two losses are paired by what their values mean: equal settings, and equal temperatures."""

import dataclasses

import numpy as np
import pytest

from analysis.model.cells import Axis, Cells
from analysis.model.info import BATCH_SIZE, AxisInfo
from analysis.model.meaning import LOWER_TEMPERATURE, TEMPERATURE, Meaning, rows_by_temperature
from analysis.model.pairing import NoPairs, Pairs, pair_cells
from tests.analysis import synthetic

GAUSSIAN = Meaning(of="kernel gaussian of kcl", larger_acts_as=LOWER_TEMPERATURE, law=(0.5, -1.0))
IMQ = Meaning(of="kernel imq of kcl", larger_acts_as="higher temperature")


def cells(name: str, meaning: Meaning, values: list[float], batch_sizes: tuple[int, ...] = (16, 64)) -> Cells:
    """A grid of batch sizes and a main axis, in which each cell's score is its number."""
    shape = (len(batch_sizes), len(values))
    scores = np.arange(np.prod(shape), dtype=float).reshape(*shape, 1)
    made = synthetic.cells("a", np.zeros((*shape, 1)), np.zeros((*shape, 1)))
    main = AxisInfo(name=f"hp_{name}", label=name, meaning=meaning)
    axes = (
        Axis(info=BATCH_SIZE, values=np.array(batch_sizes, dtype=float)),
        Axis(info=main, values=np.array(values)),
    )
    raw = {column: scores.reshape(-1, 1) for column in made.raw}
    return dataclasses.replace(made, axes=axes, raw=raw)


def paired(own: Cells, other: Cells) -> list[tuple[int, int]]:
    found = pair_cells(own, other)
    assert isinstance(found, Pairs)
    return list(zip(found.own.tolist(), found.other.tolist(), strict=True))


def reason(own: Cells, other: Cells) -> str:
    found = pair_cells(own, other)
    assert isinstance(found, NoPairs)
    return found.reason


def test_a_kernel_scale_is_paired_with_its_temperature_and_not_with_its_place() -> None:
    """T = 1/(2t): t = 0.25, 1, 4 are T = 2, 0.5, 0.125, so the order is reversed."""
    kcl = cells("t", GAUSSIAN, [0.25, 1.0, 4.0])
    infonce = cells("temperature", TEMPERATURE, [0.125, 0.5, 2.0])
    assert paired(kcl, infonce) == [(0, 2), (1, 1), (2, 0), (3, 5), (4, 4), (5, 3)]
    found = pair_cells(kcl, infonce)
    assert isinstance(found, Pairs)
    assert (found.rule, found.apart) == ("t is paired with temperature by T = 1/(2t)", 0.0)
    assert found.spread(np.arange(6.0), 6).tolist() == list(range(6))


def test_the_ranges_that_are_shipped_are_paired_in_full() -> None:
    """Study files round values of ranges to some digits."""
    kcl = cells("t", GAUSSIAN, [0.25, 0.707107, 2.0, 5.65685, 16.0])
    infonce = cells("temperature", TEMPERATURE, [0.03125, 0.0883883, 0.25, 0.707107, 2.0])
    assert paired(kcl, infonce)[:5] == [(0, 4), (1, 3), (2, 2), (3, 1), (4, 0)]


def test_temperatures_within_a_quarter_of_the_smallest_step_are_paired() -> None:
    """Steps are factors of 4 and of 16, so a factor of sqrt(2) is the limit."""
    fine = cells("temperature", TEMPERATURE, [0.1, 0.4, 1.6], (16,))
    near = cells("temperature", TEMPERATURE, [0.1 * 1.41, 1.6 * 1.41], (16,))
    far = cells("temperature", TEMPERATURE, [0.1 * 1.42, 1.6 * 1.42], (16,))
    assert paired(fine, near) == [(0, 0), (2, 1)]
    found = pair_cells(fine, near)
    assert isinstance(found, Pairs)
    assert found.apart == pytest.approx(0.41)
    assert np.isnan(found.spread(np.zeros(2), 3)).tolist() == [False, True, False]
    assert reason(fine, far) == "no equivalent temperatures agree"


def test_one_temperature_alone_has_no_step_and_must_be_equal() -> None:
    one = cells("temperature", TEMPERATURE, [0.25], (16,))
    assert paired(one, cells("t", GAUSSIAN, [2.0], (16,))) == [(0, 0)]
    assert reason(one, cells("t", GAUSSIAN, [2.01], (16,))) == "no equivalent temperatures agree"


def test_batch_sizes_are_paired_by_value() -> None:
    one = cells("temperature", TEMPERATURE, [0.1, 0.4], (16, 64))
    other = cells("temperature", TEMPERATURE, [0.1, 0.4], (64, 256))
    assert paired(one, other) == [(2, 0), (3, 1)]
    assert "share no value of batch size" in reason(
        one, cells("temperature", TEMPERATURE, [0.1, 0.4], (32, 128))
    )


def test_no_equivalent_temperature_no_pairs() -> None:
    imq, infonce = cells("t", IMQ, [1.0, 4.0]), cells("temperature", TEMPERATURE, [1.0, 4.0])
    gaussian = cells("t", GAUSSIAN, [1.0, 4.0])
    for one, other in ((imq, infonce), (infonce, imq), (imq, gaussian), (gaussian, imq)):
        assert reason(one, other) == "kernel imq of kcl has no equivalent temperature"
    margin = cells("margin", Meaning(), [1.0, 4.0])
    assert (
        reason(margin, cells("width", Meaning(), [1.0, 4.0]))
        == "margin and width are different hyperparameters"
    )


def test_one_kernel_is_paired_with_itself_by_value() -> None:
    """As in KCL with two weights of the energy."""
    one, other = cells("t", IMQ, [1.0, 2.0, 4.0], (16,)), cells("t", IMQ, [2.0, 4.0, 8.0], (16,))
    assert paired(one, other) == [(1, 0), (2, 1)]
    assert reason(one, cells("t", IMQ, [3.0], (16,))) == "they share no value of t"


def test_further_axes_are_paired_by_name() -> None:
    one = cells("temperature", TEMPERATURE, [0.1, 0.4], (16,))
    decay = Axis(info=AxisInfo(name="hp_decay"), values=np.array([1.0]))
    codes = np.append(one.codes, np.zeros((2, 1), dtype=int), axis=1)
    three = dataclasses.replace(one, axes=(*one.axes, decay), codes=codes)
    assert paired(three, three) == [(0, 0), (1, 1)]
    assert reason(three, one) == "they have other hyperparameters"
    renamed = dataclasses.replace(decay, info=AxisInfo(name="hp_width"))
    other = dataclasses.replace(three, axes=(*one.axes, renamed))
    assert reason(three, other) == "only one of them has the axis decay"


def test_formulas_are_those_of_the_law() -> None:
    laws = [
        ((0.5, -1.0), "T = 1/(2t)"),
        ((1.0, -1.0), "T = 1/t"),
        ((1.0, 2.0), "T = t^2"),
        ((3.0, 1.0), "T = 3 t"),
    ]
    for law, formula in laws:
        assert Meaning(law=law).formula("t") == formula
    assert Meaning(law=(0.5, -1.0)).temperatures(np.array([0.25, 2.0])).tolist() == [2.0, 0.25]
    assert Meaning().formula("t") == ""
    with pytest.raises(ValueError, match="no equivalent temperature"):
        IMQ.temperatures(np.ones(1))


def test_rows_rise_in_temperature() -> None:
    orders = {each: rows_by_temperature(each, 3).tolist() for each in (TEMPERATURE, IMQ, GAUSSIAN, Meaning())}
    assert orders == {TEMPERATURE: [0, 1, 2], IMQ: [0, 1, 2], GAUSSIAN: [2, 1, 0], Meaning(): [0, 1, 2]}
