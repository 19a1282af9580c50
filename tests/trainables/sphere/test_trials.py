"""Sphere trials as records: complete, reproducible, failures as rows."""

import pytest

from study.launch.rerun import RUN_COLUMNS
from tests.trainables.sphere.small import records_of, sphere_trial
from trainables.store.schema import Status, TrialRecord, record_to_table
from trainables.trial import run_trial


def results(record: TrialRecord) -> dict[str, object]:
    free = RUN_COLUMNS | {"seconds_selection"}
    return {name: value for name, value in vars(record).items() if name not in free}


def test_a_trial_leaves_a_full_row() -> None:
    record = run_trial(sphere_trial(selection="shuffle", batch_size=4, steps=60, temperature=0.5))
    assert record.status == Status.OK, record.error_traceback
    assert (record.task, record.data, record.data_fingerprint) == ("sphere", None, "")
    assert (record.hp_n_pairs, record.hp_dim, record.hp_batch_size) == (8, 16, 4)
    assert (record.hp_selection, record.hp_steps, record.hp_temperature) == ("shuffle", 60, 0.5)
    assert (record.steps_done, record.samples_seen, record.ideal) == (60, 240, "simplex")
    assert record.train_loss_full is not None
    assert record.optimum_gap == record.train_loss_full - record.optimum_loss  # type: ignore[operator]
    for name in ("z_alignment", "z_uniformity", "z_wasserstein_uniformity", "z_relative_rank"):
        assert isinstance(getattr(record, name), float | int), name
    record_to_table(record)


def test_at_the_optimum_every_metric_has_its_known_value() -> None:
    record = run_trial(sphere_trial(n_pairs=8, dim=4, temperature=0.5, steps=700, lr=4.0))
    assert record.optimum_gap == pytest.approx(0, abs=1e-12)
    assert record.gram_distance == pytest.approx(0, abs=1e-6)
    assert record.z_alignment == pytest.approx(0, abs=1e-12)
    assert record.z_effective_rank == pytest.approx(4)
    assert record.z_relative_rank == 4


def test_full_batches_see_all_pairs_whatever_the_batch_size() -> None:
    record = run_trial(sphere_trial(selection="full", batch_size=2, steps=5))
    assert (record.hp_batch_size, record.samples_seen) == (2, 40)


def test_a_fixed_partition_misses_the_optimum_that_all_subsets_reach() -> None:
    fixed, full = (
        records_of(*(sphere_trial(seed=s, selection=method, temperature=1.0, steps=1500) for s in range(2)))
        for method in ("fixed", "all_subsets")
    )
    assert min(record.optimum_gap for record in fixed) > 0.02  # type: ignore[type-var]
    assert max(record.optimum_gap for record in full) < 0.01  # type: ignore[type-var]


def test_the_same_config_gives_the_same_record() -> None:
    config = sphere_trial(selection="osgd", steps=20)
    assert results(run_trial(config)) == results(run_trial(config))


def test_a_stack_gives_the_records_of_its_trials_up_to_rounding() -> None:
    configs = [sphere_trial(seed=seed, temperature=t, steps=50) for seed in (0, 1) for t in (0.2, 0.5)]
    for stacked, config in zip(records_of(*configs), configs, strict=True):
        alone = run_trial(config)
        assert (stacked.trial_id, stacked.execution_mode) == (alone.trial_id, "stacked:eager")
        assert alone.execution_mode == "single:eager"
        for name in ("train_loss_full", "optimum_gap", "gram_distance", "z_uniformity"):
            assert getattr(stacked, name) == pytest.approx(getattr(alone, name), rel=1e-9, abs=1e-12), name


def test_the_null_control_is_null() -> None:
    """FlatNCE and DCL share a gradient, and the full-batch loss of both is log xi."""
    flatnce, dcl = (
        run_trial(sphere_trial(loss, steps=50, selection="shuffle")) for loss in ("flatnce", "dcl")
    )
    assert flatnce.train_loss_last == 1.0
    for name in ("train_loss_full", "optimum_gap", "gram_distance", "z_alignment"):
        assert getattr(flatnce, name) == getattr(dcl, name), name


def test_no_gap_where_no_optimum_is_known() -> None:
    record = run_trial(sphere_trial("kcl", kernel="riesz", t=-3.0, steps=5, lr=0.1))
    assert (record.optimum_loss, record.optimum_gap, record.ideal) == (None, None, "simplex")
    assert record.gram_distance is not None
    other = run_trial(sphere_trial(n_pairs=8, dim=5, steps=5))
    assert (other.optimum_gap, other.gram_distance, other.ideal) == (None, None, None)


def test_a_trial_that_diverges_is_a_row() -> None:
    record = run_trial(sphere_trial("tests.study.own_loss:Explodes", how="nan", at=8, steps=10))
    assert (record.status, record.steps_done) == (Status.DIVERGED, 0)
    assert record.error_message == "the loss was not finite at step 1 of 10"
    assert (record.train_loss_last, record.gram_distance) == (None, None)
    overflowed = run_trial(sphere_trial(lr=1e308, steps=10))
    assert (overflowed.status, overflowed.gram_distance) == (Status.DIVERGED, None)


def test_losses_of_ones_own_run_too() -> None:
    record = run_trial(sphere_trial("tests.study.own_loss:Spread", steps=5))
    assert record.status == Status.OK, record.error_traceback
    assert record.optimum_gap is None
    assert record.train_loss_full is not None
