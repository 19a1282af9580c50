"""Words of quantities in the names of columns, and how names are split into words."""

import re

from analysis.tables.usual_names import words

#: Words of quantities that lie within [0, 1], or within 0 and 100 %, and for which higher is better.
SHARES = frozenset(
    words(
        "accuracy acc f1 fbeta auc auroc rocauc auprc aupr prauc ap map precision recall iou miou dice jaccard "
        "sensitivity specificity tpr tnr ndcg mrr hit hits"
    )
)
#: Words of other quantities for which higher is better.
HIGHER = frozenset(words("r2 bleu rouge meteor psnr ssim mcc kappa reward return elbo likelihood loglik"))
#: Words of quantities for which lower is better.
LOWER = frozenset(
    words(
        "loss losses error err nll perplexity ppl mse rmse mae mape smape msle rmsle nmse fid kid lpips brier "
        "ece wer cer eer fpr fnr bce xent crossentropy bpc bpb bpd regret cost risk"
    )
)
#: Words of an error rate, which is a share where its name has no other words: `test_err`, but not `squared error`.
ERROR_RATES = frozenset(
    words("err error rate classification misclassification top top1 top5 1 5 linear probe knn")
)
#: Words that count only beside no word of the others: "top 1" is an accuracy, but not in "top 1 error".
WEAK_SHARES = re.compile(r"top\d+|roc")
WEAK_HIGHER = frozenset({"score"})
#: Words for a part of the data. They say nothing about the quantity.
SPLITS = frozenset(
    words("train training val valid validation dev eval evaluation test testing holdout heldout")
)

#: Words of quantities that, without a word of values, also name losses or settings: `loss`, `precision` of floats.
_AMBIGUOUS = frozenset(words("loss losses precision kappa cost risk"))
#: Words that make an ambiguous name that of a value.
_OF_VALUES = SPLITS.union(
    words("best final last min mean avg average epoch batch total running value values std macro micro")
)
#: Words of what a trial took.
_RUN = frozenset(words("elapsed walltime runtime throughput flops"))
#: Words of resources: results, but settings together with `max`.
_RESOURCES = frozenset(words("time seconds secs minutes hours duration memory mem second"))
#: Words that make a name that of a setting, whatever else it has: `loss_weight`, `acc_steps`, `memory_bank_size`.
_SETTINGS = frozenset(
    words(
        "weight weights coef coefficient lambda scale scaling fn func function type name kind kernel margin "
        "temperature threshold size dim bank limit budget steps epochs split fraction frac ratio smooth "
        "smoothing every interval freq frequency patience warmup schedule lr grad gradient embedding embed "
        "mask form variant bins"
    )
)

_WORD = re.compile(r"[A-Za-z]+\d*|\d+")
_CAMEL = re.compile(r"(?<=[a-z]{2})(?=[A-Z])|(?<=[a-z]\d)(?=[A-Z])|(?<=[A-Z]\d)(?=[A-Z])")


def words_of(name: str) -> list[str]:
    """The words of a name in small letters: parts of camel case, and parts between other characters."""
    found = [word.lower() for part in _CAMEL.sub(" ", name).split() for word in _WORD.findall(part)]
    joined = " ".join(found).replace("cross entropy", "crossentropy").replace("log likelihood", "likelihood")
    return joined.split()


def with_bare(words: list[str]) -> set[str]:
    """The words, and each of them without the digits at its end."""
    return {*words, *(word.rstrip("0123456789") for word in words)}


def is_outcome(name: str) -> bool:
    """Whether a column of that name holds results and cannot be a hyperparameter.

    `loss` alone is the name of a loss function, and `epochs`, `steps` and `lr` are settings.

    >>> [name for name in ("train_acc", "val/loss", "best_epoch", "loss", "loss_weight", "lr") if is_outcome(name)]
    ['train_acc', 'val/loss', 'best_epoch']
    """
    words = words_of(name)
    found = with_bare(words)
    if words[:1] == ["best"] or ("top" in found and found & {"1", "5"}):
        return True
    if found & _SETTINGS:
        return False
    quantities = found & (SHARES | HIGHER | LOWER | WEAK_HIGHER | _RUN)
    if quantities - _AMBIGUOUS or any(WEAK_SHARES.fullmatch(word) for word in words):
        return True
    if found & _RESOURCES and words[:1] != ["max"]:
        return True
    at_rank = "precision" in found and any(word.isdecimal() for word in words)  # such as precision@5
    return at_rank or bool(quantities and found & _OF_VALUES)
