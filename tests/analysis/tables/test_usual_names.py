"""Usual names can match: they are compared with plain names, so each is its own plain name."""

from analysis.tables.usual_names import (
    BATCH_SIZES,
    CURVE_STEPS,
    DATA_SETS,
    HYPERPARAMETERS,
    LOSSES,
    PROTOCOL,
    SEEDS,
    STATUSES,
    is_hyperparameter,
    plain,
)


def test_each_name_is_plain() -> None:
    listed = (LOSSES, SEEDS, STATUSES, DATA_SETS, BATCH_SIZES, CURVE_STEPS, PROTOCOL, HYPERPARAMETERS)
    assert [name for names in listed for name in names if plain(name) != name] == []


def test_a_plain_name_has_lower_case_words() -> None:
    told = ("learningRate", "Batch Size", "batch-size", "hp_batch_size", "Unnamed: 0", "a/b.c", "_step")
    assert [plain(name) for name in told] == [
        "learning_rate",
        *("batch_size", "batch_size", "batch_size"),
        *("unnamed_0", "a_b_c", "_step"),
    ]
    assert is_hyperparameter("hp_batch_size")
