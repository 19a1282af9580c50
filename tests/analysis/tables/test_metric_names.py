"""The name of a metric tells its direction and unit, or tells neither."""

import pytest

from analysis.tables.metric_names import named_metric


@pytest.mark.parametrize(
    "name",
    [
        *(
            "acc",
            "test_acc",
            "val/accuracy",
            "eval.top1",
            "testACC",
            "valAUROC",
            "F1Score",
            "f1_macro",
            "mAP50",
        ),
        *("mIoU", "recall@5", "balanced accuracy", "test_probe10_accuracy", "average_precision"),
    ],
)
def test_shares_are_better_where_higher(name: str) -> None:
    found = named_metric(name)
    assert (found.higher_is_better, found.is_share) == (True, True)


@pytest.mark.parametrize(
    "name", ["r2", "bleu", "score", "reward", "log_likelihood", "neg_loss", "minus_loss"]
)
def test_other_numbers_are_better_where_higher(name: str) -> None:
    found = named_metric(name)
    assert (found.higher_is_better, found.is_share) == (True, False)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "val_loss",
            "validation.nll",
            "evalLoss",
            "ImageNet error",
            "ppl",
            "cross entropy",
            "wer",
        ),
        *(
            "brier_score",
            "1-acc",
            "1_minus_acc",
            "neg_acc",
            "-accuracy",
            "negative log likelihood",
        ),
    ],
)
def test_losses_and_errors_are_better_where_lower(name: str) -> None:
    found = named_metric(name)
    assert (found.higher_is_better, found.is_share) == (False, False)


@pytest.mark.parametrize(
    "name",
    [
        *("value", "metric", "objective", "result", "val", "test", "", "损失", "loss_acc", "accuracy_loss"),
        *("acc_std", "accuracy_drop", "false_negative_rate", "1-neg_acc"),
    ],
)
def test_a_name_that_tells_nothing_or_both_is_asked_about(name: str) -> None:
    assert named_metric(name).higher_is_better is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("test_acc", "val_accuracy", True),
        ("test_fit", "valFit", True),
        ("test_acc", "val_loss", False),
        ("test_acc", "val_acc5", False),
        ("acc", "1-acc", False),
        ("loss", "neg_loss", False),
    ],
)
def test_a_quantity_is_the_same_on_every_part_of_the_data(one: str, other: str, same: bool) -> None:
    assert (named_metric(one).quantity == named_metric(other).quantity) == same


@pytest.mark.parametrize("name", ["test_err", "test/err@1", "top1_err", "val error rate", "knn_error"])
def test_error_rates_are_shares(name: str) -> None:
    found = named_metric(name)
    assert (found.higher_is_better, found.is_share) == (False, True)


@pytest.mark.parametrize("name", ["mean_squared_error", "reconstruction error", "wer", "error_db"])
def test_other_errors_are_no_shares(name: str) -> None:
    found = named_metric(name)
    assert (found.higher_is_better, found.is_share) == (False, False)
