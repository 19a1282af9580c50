"""Names of columns tell results from settings, with the same words that tell the direction of a metric."""

import pytest

from analysis.tables.metric_names import named_metric
from analysis.tables.metric_words import HIGHER, LOWER, SHARES, is_outcome


def words(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize(
    "name",
    words(
        "train_acc val/loss val_loss train.loss trainLoss best_epoch best_lr top1 top_5 test_accuracy eval/top1 time "
        "seconds train_time peak_memory max_memory_mb_error perplexity f1_score error_rate loss_value mean_loss "
        "samples_per_second runtime_s iou mIoU dice wer ndcg@10 fid r2 psnr test_precision precision@5 valPrecision "
        "average_precision mAP50 test_kappa roc crossEntropy elbo fpr95"
    ),
)
def test_results_are_known_by_name(name: str) -> None:
    assert is_outcome(name)


@pytest.mark.parametrize(
    "name",
    words(
        "loss Loss losses contrastive_loss loss_fn loss_weight train_loss_weight lr learning_rate epochs steps "
        "train_epochs batch_size eval_batch_size tau seed grad_acc_steps acc_grad memory_bank_size max_time "
        "max_seconds precision float_precision timesteps warmup_time score_threshold temperature optimizer data "
        "timeout map_dim kappa cost loss_1 kappa_1 iou_threshold ece_bins dice_smooth"
    ),
)
def test_settings_are_no_results(name: str) -> None:
    assert not is_outcome(name)


def test_a_name_without_words_is_no_result() -> None:
    assert not is_outcome("")


def test_every_word_with_a_direction_is_a_result_on_a_part_of_the_data() -> None:
    known = sorted(SHARES | HIGHER | LOWER)
    assert [word for word in known if not is_outcome(f"test_{word}")] == []
    assert [word for word in known if named_metric(f"test_{word}").higher_is_better is None] == []


def test_only_words_that_also_name_settings_or_losses_need_more() -> None:
    alone = {word for word in SHARES | HIGHER | LOWER if not is_outcome(word)}
    assert alone == {"loss", "losses", "precision", "kappa", "cost", "risk"}
