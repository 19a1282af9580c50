"""What columns tell of an evaluation: maxima over epochs, and encoders that labels train further."""

import pandas as pd

from analysis.tables.metric_words import SPLITS, words_of
from analysis.tables.usual_names import plain, words

#: Words of a value that was chosen among several epochs.
_CHOSEN = frozenset(words("best max maximum peak highest min minimum lowest"))
_VALIDATION = frozenset(words("val valid validation dev holdout heldout"))
_TRAINING = frozenset(words("train training"))

#: Columns that are true where labels train the encoder, and columns that are true where they do not.
_TRAINS = words(
    "finetune fine_tune finetuned fine_tuned finetuning fine_tuning finetune_encoder finetune_backbone unfreeze "
    "unfrozen unfreeze_encoder unfreeze_backbone train_encoder encoder_trainable backbone_trainable"
)
_FREEZES = words(
    "frozen freeze frozen_encoder freeze_encoder encoder_frozen frozen_backbone freeze_backbone backbone_frozen "
    "frozen_features"
)
#: Columns that name the kind of evaluation, and the names of those that train the encoder.
_KINDS = words(
    "evaluation eval eval_protocol evaluation_protocol eval_mode eval_type protocol probe probe_type downstream"
)
_TRAINING_KINDS = words("finetune finetuned finetuning fine_tune fine_tuned fine_tuning end_to_end unfrozen")

_TRUE, _FALSE = frozenset(words("true yes y 1 1.0 on all")), frozenset(words("false no n 0 0.0 off none"))


def is_best_epoch(name: str) -> bool:
    """Whether a metric's name says that it is the best of several epochs, and not that validation chose it.

    >>> [name for name in ("best_test_acc", "max_accuracy", "test_acc", "best_val_acc") if is_best_epoch(name)]
    ['best_test_acc', 'max_accuracy']
    """
    found = set(words_of(name))
    return bool(found & _CHOSEN) and not found & (_VALIDATION | _TRAINING)


def names_test(name: str) -> bool:
    """Whether a metric's name says that it was measured on test data."""
    return bool(set(words_of(name)) & (SPLITS & {"test", "testing"}))


def encoder_trained(name: str, column: pd.Series) -> pd.Series | None:
    """For each row, whether labels train the encoder: true, false, or NA where the value does not tell.

    None for a column that is not about that, by its name or by its values.
    """
    bare = plain(name)
    texts = column.astype("string").str.strip().map(plain, na_action="ignore")
    if bare in _KINDS:
        found = texts.isin(_TRAINING_KINDS)
        return found.where(texts.notna()) if found.any() else None
    if bare not in (*_TRAINS, *_FREEZES):
        return None
    told = texts.isin(_TRUE).where(texts.isin(_TRUE | _FALSE))
    told = told.astype("boolean")
    if told.isna().all():
        return None
    return told if bare in _TRAINS else ~told
