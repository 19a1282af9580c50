"""Reference loss, names and metrics of a study are resolved from what it says, and bad input is named."""

import pytest

from analysis.model.metric import Metric
from tests.analysis.synthetic import arm_info, study_info

ARMS = [arm_info("dhel"), arm_info("infonce", title="InfoNCE")]


def test_infonce_is_the_reference_wherever_it_stands() -> None:
    assert study_info(ARMS).reference_arm.label == "infonce"
    assert study_info(ARMS, reference="dhel").reference_arm.label == "dhel"
    assert study_info([arm_info("kcl"), arm_info("dhel")]).reference_arm.label == "kcl"


def test_the_reference_goes_by_the_loss_not_the_label() -> None:
    arms = [
        arm_info("infonce_like", loss="dhel"),
        arm_info("mine", loss="infonce"),
        arm_info("b", loss="infonce"),
    ]
    assert study_info(arms).reference_arm.label == "mine"
    assert study_info(arms, reference="b").reference_arm.label == "b"


def test_of_two_losses_of_one_gradient_the_later_one_repeats_the_other_but_never_the_reference() -> None:
    arms = [arm_info("infonce"), arm_info("dcl"), arm_info("flatnce")]
    pairs = (("flatnce", "dcl"), ("flatnce_plus", "ntxent"))
    assert study_info(arms, null_controls=pairs).repeats == {"flatnce"}
    assert study_info(arms[::-1], null_controls=pairs).repeats == {"dcl"}
    assert study_info(arms, null_controls=pairs, reference="flatnce").repeats == {"dcl"}
    assert study_info(arms[:2], null_controls=pairs).repeats == frozenset()


def test_names() -> None:
    assert study_info(ARMS).arm("infonce").name == "InfoNCE"
    assert study_info(ARMS).arm("dhel").name == "dhel"


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("probe10_accuracy", "accuracy with 10 labelled images a class"),
        ("probe1_accuracy", "accuracy with 1 labelled image a class"),
        ("probe_full_accuracy", "accuracy with all labels"),
        ("knn_accuracy", "nearest-neighbour accuracy"),
        ("retrieval_score", "retrieval score"),
    ],
)
def test_metrics_in_words(metric: str, words: str) -> None:
    assert Metric(name=metric, worst=0.1).words == words


@pytest.mark.parametrize(
    ("arms", "changes", "message"),
    [
        ([], {}, "arms: got labels"),
        ([ARMS[0], ARMS[0]], {}, "arms: got labels"),
        (ARMS, {"reference": "kcl"}, "reference: got 'kcl'"),
        (ARMS, {"tolerance": -0.1}, "tolerance: got -0.1"),
    ],
)
def test_bad_input_is_named(arms: list, changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        study_info(arms, **changes)
