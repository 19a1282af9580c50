"""Losses are aligned on the axes that they share, in one order, and other axes are refused."""

import dataclasses

import numpy as np
import pytest

from analysis.model.aligned import align_along, align_cells
from analysis.model.cells import Cells
from analysis.model.meaning import Meaning
from analysis.study_analysis import analyse
from tests.analysis import synthetic


def grid(seeds: tuple[int, ...] = (0, 1), **changes: object) -> Cells:
    arm = synthetic.arm_info("a")
    planned = synthetic.plan([arm], seeds=seeds, **changes)
    rng = np.random.default_rng(0)
    records = synthetic.run(planned, {"a": synthetic.hill(peak=0.9, at=0.3, width=3.0)}, noise=0.01, rng=rng)
    return analyse(planned, records, synthetic.study_info([arm], seeds=seeds)).cells["a"]


def test_what_all_parts_have_is_kept_in_one_order() -> None:
    whole = grid(seeds=(0, 1, 2))
    fewer = grid(seeds=(1, 2, 3), batch_sizes=(64, 512), values=list(synthetic.TEMPERATURES[1:]))
    found = align_cells({"one": whole, "other": fewer})
    assert found.environments == ("one", "other")
    assert found.shape == (1, 4)
    assert found.seeds.tolist() == [1, 2]
    assert found.left_out == 11 + 4
    assert found.test.shape == (2, 4, 2)
    at = whole.values("hp_batch_size") == 64
    expected = whole.test[at & (whole.values("hp_temperature") > 0.06)][:, 1:]
    assert found.test[0] == pytest.approx(expected)


def test_a_range_that_was_computed_twice_is_one() -> None:
    cells = grid()
    axis = dataclasses.replace(cells.axes[1], values=cells.axes[1].values * (1 + 1e-13))
    again = dataclasses.replace(cells, axes=(cells.axes[0], axis))
    assert align_cells({"one": cells, "other": again}).left_out == 0


def test_axes_in_another_order_are_the_same_axes() -> None:
    cells = grid()
    turned = dataclasses.replace(cells, axes=cells.axes[::-1], codes=cells.codes[:, ::-1])
    found = align_cells({"one": cells, "other": turned})
    assert found.test[0] == pytest.approx(found.test[1])


def test_an_axis_becomes_the_environments() -> None:
    cells = grid()
    found = align_along(cells, "hp_batch_size")
    assert found.environments == ("16", "64", "256")
    assert [axis.name for axis in found.axes] == ["hp_temperature"]
    assert found.test == pytest.approx(cells.on_grid(cells.test))


def test_values_with_another_meaning_are_refused() -> None:
    """Equal scales of two kernels are not the same configuration."""
    one = grid()
    meanings = [Meaning(of=f"kernel {name} of kcl") for name in ("imq", "log")]
    infos = [dataclasses.replace(one.axes[1].info, meaning=meaning) for meaning in meanings]
    parts = [
        dataclasses.replace(one, axes=(one.axes[0], dataclasses.replace(one.axes[1], info=info)))
        for info in infos
    ]
    assert align_cells({"one": parts[0], "same": parts[0]}).left_out == 0
    with pytest.raises(ValueError, match="other has axes of these names with another meaning"):
        align_cells({"one": parts[0], "other": parts[1]})


def test_nothing_shared_has_a_note() -> None:
    one, other = grid(), grid(batch_sizes=(1024,))
    found = align_cells({"one": one, "other": other})
    assert found.test.shape == (2, 0, 2)
    assert found.note == "under two shared configurations"
    assert align_cells({"one": one, "other": grid(seeds=(7, 8))}).note == "no shared seeds"


def test_other_axes_are_refused() -> None:
    cells = grid()
    with pytest.raises(ValueError, match="parts: other has the axes"):
        align_cells(
            {"one": cells, "other": dataclasses.replace(cells, axes=cells.axes[:1], codes=cells.codes[:, :1])}
        )
