"""Ids: content hashes that neither spelling nor new fields with defaults may move."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden.contents import IDS_GOLDEN
from tests.trainables.canonical import from_canonical
from tests.trainables.tiny_trial import example
from trainables.config import (
    LossConfig,
    ProbeConfig,
    Provenance,
    TrialConfig,
    canonical,
    canonical_json,
    keys_of_seeds,
    trial_keys,
)


def with_training(**changes: object) -> TrialConfig:
    config = example()
    training = dataclasses.replace(config.task.training, **changes)
    return dataclasses.replace(config, task=dataclasses.replace(config.task, training=training))


NOWHERE = Provenance()


def test_ids_are_frozen() -> None:
    """A change here orphans every record ever written: it needs a reason and a new numerics version.

    Regenerate with `uv run python -m tests.golden.regenerate`.
    """
    keys = trial_keys(example(), Provenance(data_fingerprint="digits"))
    assert dataclasses.asdict(keys) == json.loads(IDS_GOLDEN.read_text())


def test_the_seeds_of_a_config_have_the_ids_of_their_trials() -> None:
    config, origin = example(), Provenance(data_fingerprint="x", corruptions_fingerprint="y")
    alone = [trial_keys(dataclasses.replace(config, seed=seed), origin) for seed in (3, 0, 11)]
    assert keys_of_seeds(config, origin, (3, 0, 11)) == alone
    assert len({keys.trial_id for keys in alone}) == 3
    assert len({keys.config_id for keys in alone}) == 1


def test_defaults_are_left_out() -> None:
    assert "momentum" not in canonical_json(example())
    assert canonical(with_training(momentum=0.8))["task"]["training"]["momentum"] == 0.8


def test_spelling_does_not_matter() -> None:
    as_int = example(loss=LossConfig(name="ntxent", params={"temperature": 1}))
    as_float = example(loss=LossConfig(name="ntxent", params={"temperature": 1.0}))
    assert trial_keys(as_int, NOWHERE) == trial_keys(as_float, NOWHERE)
    assert trial_keys(with_training(lr=1), NOWHERE) == trial_keys(with_training(lr=1.0), NOWHERE)


def test_order_of_hyperparameters_does_not_matter() -> None:
    one = example(loss=LossConfig(name="kcl", params={"t": 2.0, "gamma": 4.0}))
    other = example(loss=LossConfig(name="kcl", params={"gamma": 4.0, "t": 2.0}))
    assert trial_keys(one, NOWHERE) == trial_keys(other, NOWHERE)


@pytest.mark.parametrize(
    "changed",
    [
        example(seed=1),
        example(loss=LossConfig(name="dcl", params={"temperature": 0.25})),
        example(loss=LossConfig(name="ntxent", params={"temperature": 0.5})),
        with_training(batch_size=16),
        with_training(lr=0.1),
        with_training(epochs=None, steps=12),
        with_training(lr_rule="none"),
    ],
)
def test_whatever_changes_the_result_changes_the_id(changed: TrialConfig) -> None:
    assert trial_keys(changed, NOWHERE).trial_id != trial_keys(example(), NOWHERE).trial_id


def test_data_and_own_code_are_part_of_the_id() -> None:
    plain = trial_keys(example(), NOWHERE)
    assert trial_keys(example(), Provenance(data_fingerprint="x")).config_id != plain.config_id
    assert trial_keys(example(), Provenance(code_fingerprint="x")).pretrain_id != plain.pretrain_id


def test_published_corruptions_are_part_of_the_probes() -> None:
    plain = trial_keys(example(), NOWHERE)
    corrupted = trial_keys(example(), Provenance(corruptions_fingerprint="x"))
    assert corrupted.pretrain_id == plain.pretrain_id
    for name in ("trial_id", "config_id", "probe_id"):
        assert getattr(corrupted, name) != getattr(plain, name), name


def test_replicates_share_the_config_id() -> None:
    one, other = trial_keys(example(seed=0), NOWHERE), trial_keys(example(seed=1), NOWHERE)
    assert one.config_id == other.config_id
    assert one.trial_id != other.trial_id
    assert one.pretrain_id != other.pretrain_id


def test_another_probe_shares_the_encoder() -> None:
    config = example()
    probed = dataclasses.replace(config, task=dataclasses.replace(config.task, probe=ProbeConfig(draws=3)))
    one, other = trial_keys(config, NOWHERE), trial_keys(probed, NOWHERE)
    assert one.pretrain_id == other.pretrain_id
    assert one.probe_id != other.probe_id
    assert one.trial_id != other.trial_id


def test_canonical_form_reads_back() -> None:
    config = with_training(momentum=0.8, lr=1.0)
    assert from_canonical(canonical_json(config)) == config


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_id_for_what_is_no_number(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        canonical_json(with_training(lr=value))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_canonical_numbers_are_equal_to_themselves(value: float) -> None:
    assert canonical(value) == value
    assert json.loads(json.dumps(canonical(value))) == value
