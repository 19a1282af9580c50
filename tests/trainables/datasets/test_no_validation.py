"""With `validation = "none"` all training images train, test images stay, and there are no validation scores."""

import dataclasses

import numpy as np
import pytest

from tests.trainables.datasets import own_functions
from tests.trainables.datasets.examples import DIGITS, open_own
from tests.trainables.tiny_trial import tiny
from trainables.config import DataConfig, Provenance, TrialConfig, canonical_json, trial_keys
from trainables.datasets.datasets import describe_dataset, load_dataset, try_dataset
from trainables.datasets.source import DataError
from trainables.datasets.splits import balanced_order
from trainables.datasets.subset import choose_rows
from trainables.evaluation.probes import PROBES
from trainables.trial import run_trial

ALL = dataclasses.replace(DIGITS, validation="none")


def rows_of(images: np.ndarray) -> list[bytes]:
    return sorted(image.tobytes() for image in images)


def test_all_training_images_train_and_the_test_images_stay() -> None:
    held_out, whole = load_dataset(DIGITS, None), load_dataset(ALL, None)
    assert (whole.info.n_train, whole.info.n_val, whole.info.n_test) == (1297, 0, 500)
    assert rows_of(whole.train.images) == rows_of(
        np.concatenate([held_out.train.images, held_out.val.images])
    )
    np.testing.assert_array_equal(whole.test.images, held_out.test.images)
    np.testing.assert_array_equal(whole.test.labels, held_out.test.labels)
    assert whole.info.fingerprint == held_out.info.fingerprint
    assert list(whole.splits) == ["train", "test"]
    assert len(whole.val.images) == len(whole.val.labels) == 0
    assert whole.images.nbytes == held_out.images.nbytes


def test_limits_and_classes_choose_from_all_training_images() -> None:
    config = DataConfig(name="digits", classes=("0", "1"), train_limit=40, test_limit=10, validation="none")
    data = load_dataset(config, None)
    assert (data.info.n_train, data.info.n_val, data.info.n_test) == (40, 0, 10)
    with_part = load_dataset(dataclasses.replace(config, validation="held_out"), None)
    np.testing.assert_array_equal(data.test.images, with_part.test.images)
    assert np.bincount(data.train.labels).tolist() == [20, 20]
    with pytest.raises(DataError, match="test_limit: got 1, which leaves a class without images"):
        describe_dataset(dataclasses.replace(config, test_limit=1), None)
    unlimited = dataclasses.replace(config, train_limit=None, test_limit=None)
    part = describe_dataset(dataclasses.replace(unlimited, validation="held_out"), None)
    assert describe_dataset(unlimited, None).n_train == part.n_train + part.n_val


def test_unlabelled_images_stay_behind_the_labelled_ones() -> None:
    source = open_own(None)
    subset = choose_rows(DataConfig(name="own", validation="none"), source)
    order = balanced_order(source.train_labels)
    labelled = source.train_labels[order] >= 0
    np.testing.assert_array_equal(subset.pretraining, [*order[labelled], *order[~labelled]])
    assert (subset.n_train, len(subset.val), len(subset.val_labels)) == (40, 0, 0)


def test_an_own_data_set_is_tried_without_a_validation_image() -> None:
    name = f"{own_functions.__name__}:right"
    try_dataset(DataConfig(name=name, validation="none"), None)
    assert describe_dataset(DataConfig(name=name, validation="none"), None).n_train == 20


def changed(validation: str) -> TrialConfig:
    trial = tiny()
    data = dataclasses.replace(trial.task.data, validation=validation)
    return dataclasses.replace(trial, task=dataclasses.replace(trial.task, data=data))


def test_the_default_is_no_part_of_an_id() -> None:
    assert "validation" not in canonical_json(changed("held_out"))
    one, other = (trial_keys(changed(how), Provenance()) for how in ("held_out", "none"))
    assert one == trial_keys(tiny(), Provenance())
    assert one.trial_id != other.trial_id
    assert one.pretrain_id != other.pretrain_id


def test_a_record_has_test_scores_only() -> None:
    record = run_trial(changed("none"))
    assert record.status == "ok"
    values = {name: vars(record)[f"val_{name}_accuracy"] for name in PROBES}
    assert set(values.values()) == {None}
    assert record.test_probe10_accuracy is not None
    assert record.test_knn_accuracy is not None
    assert record.z_effective_rank is not None
