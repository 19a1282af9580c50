"""The suite: a probe for every name, known accuracies, and nothing that depends on the order."""

import dataclasses
from typing import NoReturn

import pytest
import torch

from tests.trainables.evaluation.known_features import clusters, encoded, noise, separable
from trainables.config import ProbeConfig
from trainables.evaluation import suite
from trainables.evaluation.features import EncodedSplits, Labelled
from trainables.evaluation.probes import PROBE_OF_METRIC, PROBES, Probe
from trainables.store.schema import METRICS, TrialRecord
from trainables.turns import finish

#: All probes that 90 training images of three classes can be given.
SUITE = tuple(probe for probe in PROBES if probe != "probe100")
CONFIG = ProbeConfig(
    suite=SUITE, draws=2, sgd_epochs=20, sgd_batch_size=32, adam_epochs=30, adam_batch_size=32
)
BY_LABELS = tuple(probe for probe in SUITE if PROBES[probe].guesses_among == "classes")


def probe_accuracies(config: ProbeConfig, splits: EncodedSplits, seed: int) -> dict[str, float]:
    return finish(suite.probe_accuracies(config, splits, seed=seed))


@pytest.mark.parametrize("probe", PROBES.values(), ids=list(PROBES))
def test_every_probe_is_complete(probe: Probe) -> None:
    """What a new probe most easily lacks: a text, columns with that text, a kind of chance."""
    assert PROBES[probe.name] is probe
    assert probe.description
    assert probe.guesses_among in {"classes", "images", "corruptions"}
    assert probe.guesses_among != "corruptions" or probe.corrupted
    assert PROBE_OF_METRIC[f"{probe.name}_accuracy"] is probe
    for split, words in (("val", "validation"), ("test", "test")):
        column = TrialRecord.__dataclass_fields__[f"{split}_{probe.name}_accuracy"]
        assert column.metadata["doc"] == f"{words}, {probe.description}"
        assert column.metadata["unit"] == "1"


def test_the_metrics_are_those_of_the_probes() -> None:
    assert tuple(f"{name}_accuracy" for name in PROBES) == METRICS


def test_only_probes_under_corruption_look_at_corrupted_images() -> None:
    def refuse(split: str) -> NoReturn:
        raise AssertionError(f"corrupted images of {split}")

    intact = separable()
    for name in SUITE:
        splits = dataclasses.replace(intact, corrupted=refuse, corrupted_views=refuse)
        config = dataclasses.replace(CONFIG, suite=(name,))
        if PROBES[name].corrupted:
            with pytest.raises(AssertionError, match="corrupted images of val"):
                probe_accuracies(config, splits, seed=0)
        else:
            probe_accuracies(config, splits, seed=0)


def test_separable_classes_are_found() -> None:
    found = probe_accuracies(CONFIG, separable(), seed=0)
    assert set(found) == {f"{split}_{probe}_accuracy" for split in ("val", "test") for probe in SUITE}
    assert min(found.values()) > 0.97


def test_features_without_information_score_chance() -> None:
    config = dataclasses.replace(CONFIG, suite=BY_LABELS)
    found = probe_accuracies(config, encoded(noise(600, 0), noise(600, 1), noise(600, 2)), seed=0)
    # 600 test images: three standard errors are 0.06
    assert all(abs(value - 1 / 3) < 0.06 for value in found.values())


def test_collapsed_features_score_chance_without_complaint() -> None:
    collapsed = encoded(*(noise(60, seed, scale=1e-9, shift=1.0) for seed in range(3)))
    found = probe_accuracies(CONFIG, collapsed, seed=0)
    counts = {"classes": 3, "images": 60, "corruptions": 2}
    chance = {probe: 1 / counts[PROBES[probe].guesses_among] for probe in SUITE}
    assert found == pytest.approx(
        {f"{split}_{probe}_accuracy": chance[probe] for split in ("val", "test") for probe in SUITE}
    )


def test_a_dead_encoder_scores_chance() -> None:
    dead = Labelled(features=torch.zeros(60, 4), labels=torch.arange(60) % 3)
    found = probe_accuracies(CONFIG, encoded(dead, dead, dead), seed=0)
    assert found["test_retrieval_accuracy"] == pytest.approx(1 / 60)
    assert found["test_knn_accuracy"] == found["test_probe_sgd_accuracy"] == pytest.approx(1 / 3)


def test_validation_and_test_are_not_mixed_up() -> None:
    test = clusters(60, 1)
    wrong = Labelled(features=test.features, labels=(test.labels + 1) % 3)
    config = dataclasses.replace(CONFIG, suite=BY_LABELS)
    found = probe_accuracies(config, encoded(clusters(90, 0), clusters(60, 2), wrong), seed=0)
    assert all(found[f"val_{probe}_accuracy"] > 0.97 for probe in BY_LABELS)
    assert all(found[f"test_{probe}_accuracy"] < 0.03 for probe in BY_LABELS)


def test_scale_and_shift_of_the_features_do_not_matter_to_the_full_solve() -> None:
    sets = [clusters(90, seed, spread=0.5) for seed in range(3)]
    scaled = [Labelled(features=1000 * each.features + 7, labels=each.labels) for each in sets]
    config = dataclasses.replace(CONFIG, suite=("probe10", "probe_full"))
    plain, moved = (probe_accuracies(config, encoded(*each), seed=0) for each in (sets, scaled))
    assert plain == pytest.approx(moved)


def test_the_order_of_the_suite_does_not_matter() -> None:
    splits = encoded(*(clusters(90, seed, spread=0.6) for seed in range(3)))
    alone = [
        probe_accuracies(dataclasses.replace(CONFIG, suite=(probe,)), splits, seed=3)
        for probe in reversed(SUITE)
    ]
    together = probe_accuracies(CONFIG, splits, seed=3)
    assert together == {name: value for columns in alone for name, value in columns.items()}


def test_only_probes_by_stochastic_gradients_depend_on_the_seed() -> None:
    splits = encoded(*(clusters(300, seed, spread=1.0) for seed in range(3)))
    config = dataclasses.replace(CONFIG, sgd_lr=3.0, sgd_epochs=2, adam_lr=1.0, adam_epochs=2)
    first, second = (probe_accuracies(config, splits, seed=seed) for seed in (0, 1))
    moved = {name for name in first if first[name] != second[name]}
    seeded = [
        {f"{split}_{name}_accuracy" for split in ("val", "test")} for name in ("probe_sgd", "probe_adam")
    ]
    assert all(moved & columns for columns in seeded)
    assert moved <= set.union(*seeded)
