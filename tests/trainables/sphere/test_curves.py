"""Sphere trials keep gap curves on a log scale of steps, and their final embeddings, beside their records."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.trainables.sphere.small import sphere_trial
from trainables.runtime import Runtime
from trainables.sphere.curves import due_steps
from trainables.store.artefacts import curve_path, embeddings_path
from trainables.trial import run_trials


def test_points_lie_evenly_in_the_logarithm() -> None:
    assert due_steps(1000, 1) == {1, 10, 100, 1000}
    assert due_steps(30, 2) == {1, 3, 10, 30}
    assert due_steps(1, 5) == {1}


def test_a_stack_keeps_a_curve_and_the_end_of_each_trial(tmp_path: Path) -> None:
    configs = [sphere_trial(seed=seed, selection="osgd", steps=40) for seed in (0, 1)]
    runtime = Runtime(artefacts=tmp_path, curve_points=2, keep_embeddings=True)
    plain = list(run_trials(configs, attempts=[0, 0]))
    for record, other in zip(run_trials(configs, runtime=runtime, attempts=[0, 0]), plain, strict=True):
        assert record.optimum_gap == other.optimum_gap  # keeping changes nothing
        curve = pq.read_table(curve_path(tmp_path, record.pretrain_id)).to_pandas()
        assert curve["step"].tolist() == [1, 3, 10, 32, 40]
        assert curve["optimum_gap"].iloc[-1] == record.optimum_gap
        assert curve["samples_seen"].tolist() == [2, 6, 20, 64, 80]
        assert curve["samples_selection"].iloc[-1] == record.samples_selection
        points = pq.read_table(embeddings_path(tmp_path, record.pretrain_id)).to_pandas()
        assert points.groupby("view")["pair"].apply(list).tolist() == [list(range(8))] * 2
        assert np.linalg.norm(np.stack(points["z"].tolist()), axis=1) == pytest.approx(1)


def test_nothing_is_kept_unless_asked(tmp_path: Path) -> None:
    list(run_trials([sphere_trial(steps=3)], runtime=Runtime(artefacts=tmp_path), attempts=[0]))
    assert not list(tmp_path.iterdir())
