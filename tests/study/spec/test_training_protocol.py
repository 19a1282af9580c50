"""Optimisers, schedules and heads of published protocols in a study file: what trials get, and what is refused."""

import dataclasses
from pathlib import Path

import pytest

from study.errors import StudyError
from study.loaded import load_study
from study.report.integrity import check_store
from study.report.study_table import study_info
from study.spec.expand import TrialSet, expand, planned_rows
from study.spec.load import load_spec
from study.spec.tasks.training_words import encoder_words, training_words
from tests.study.conftest import WriteStudy
from trainables.config import canonical
from trainables.store.records import RecordStore
from trainables.store.schema import TrialRecord
from trainables.trial import run_trial

Replacement = tuple[str, str]

_STEPS, _PROJECTION, _NTXENT = "steps = 3", "projection_dim = 8", "temperature = [0.1, 0.5]"
_RATES = ((_NTXENT, f"{_NTXENT}\nlr = 0.001"), ("t = [2.0]", "t = [2.0]\nlr = 0.001"))


def training(keys: str) -> Replacement:
    return _STEPS, keys


def head(keys: str) -> Replacement:
    return _PROJECTION, f"{_PROJECTION}\n{keys}"


def expanded(write_study: WriteStudy, *replacements: Replacement) -> TrialSet:
    return expand(load_spec(str(write_study(*replacements))).spec, None)


#: The line that refuses each of these, or its beginning.
REFUSED: dict[str, tuple[tuple[Replacement, ...], str]] = {
    "two warm-ups": (
        (training("epochs = 3\nwarmup_epochs = 1\nwarmup_fraction = 0.1"),),
        "training.warmup_epochs: got 1, and warmup_fraction is given too; give one of them",
    ),
    "a swept warm-up too": (
        (training("epochs = 3\nwarmup_epochs = 1"), ("[8, 16]", "[8]\nwarmup_fraction = [0.0, 0.1]")),
        "training.warmup_epochs: got 1, and warmup_fraction is given too; give one of them",
    ),
    "a warm-up as long as the budget": (
        (training("epochs = 2\nwarmup_epochs = 2"),),
        (
            "training.warmup_epochs: got 2, must be below the budget: 50 steps, which are 2 epochs of 25 steps at "
            "batch size 8"
        ),
    ),
    "a warm-up longer than a budget in steps": (
        (training("steps = 30\nwarmup_epochs = 2\nschedule_by = 'epoch'"),),
        "training.warmup_epochs: got 2, must be below the budget: 30 steps, which are 1.2 epochs of 25 steps",
    ),
    "a warm-up longer than a budget in images": (
        (training("samples = 180\nwarmup_epochs = 1"),),
        "training.warmup_epochs: got 1, must be below the budget: 22 steps, which are 0.88 epochs of 25 steps",
    ),
    "Adam at the rates of SGD": (
        (training('steps = 3\noptimizer = "adam"'),),
        (
            "losses.ntxent.lr, losses.kcl.lr: are missing; the default rates are for SGD, and training.optimizer is "
            "adam; give lr in [axes], or in the table of each loss"
        ),
    ),
    "Adam at the rate of SGD for one loss": (
        (training('steps = 3\noptimizer = "adamw"'), _RATES[0]),
        (
            "losses.kcl.lr: is missing; the default rates are for SGD, and training.optimizer is adamw; give lr in "
            "[axes], or in the table of each loss"
        ),
    ),
    "Adam at the rate of SGD for a point": (
        (
            training('steps = 3\noptimizer = "adam"'),
            ("[axes]", '[search]\ndesign = "list"\n[axes]'),
            (_NTXENT, "points = [{ temperature = 0.1, lr = 0.002 }, { temperature = 0.2 }]"),
            ("t = [2.0]", "points = [{ t = 2.0, lr = 0.003 }]"),
        ),
        "losses.ntxent.lr: is missing; the default rates are for SGD",
    ),
    "a warm-up as long as a swept budget": (
        (training("warmup_epochs = 1"), ("[8, 16]", "[8]\nepochs = [3, 1]")),
        (
            "training.warmup_epochs: got 1, must be below the budget, axes.epochs = 1: 25 steps, which are 1 epoch "
            "of 25 steps at batch size 8"
        ),
    ),
    "a warm-up as long as the budget of a point": (
        (
            training("warmup_epochs = 1"),
            ("[axes]", '[search]\ndesign = "list"\n[axes]'),
            (_NTXENT, "points = [{ temperature = 0.1, epochs = 2 }]"),
            ("t = [2.0]", "points = [{ t = 2.0, epochs = 1 }]"),
        ),
        "training.warmup_epochs: got 1, must be below the budget, epochs of a point = 1: 25 steps",
    ),
    "no budget": (
        (training(""),),
        "training: needs exactly one of epochs, steps and samples, there or in [axes]",
    ),
    "two budgets": (
        (training("steps = 3\nepochs = 1"),),
        "training: needs exactly one of epochs, steps and samples, there or in [axes]",
    ),
    "no budget for one point": (
        (
            training(""),
            ("[axes]", '[search]\ndesign = "list"\n[axes]'),
            (_NTXENT, "points = [{ temperature = 0.1, steps = 2 }, { temperature = 0.2 }]"),
            ("t = [2.0]", "points = [{ t = 2.0, epochs = 1 }]"),
        ),
        "training: needs exactly one of epochs, steps and samples, there or in [axes]",
    ),
    "the optimizer of one loss": (
        ((_NTXENT, f'{_NTXENT}\noptimizer = "adam"'),),
        "losses.ntxent.optimizer: belongs in [training], which all losses share",
    ),
    "the head of one loss": (
        (("t = [2.0]", "t = [2.0]\nhead_hidden = [8]"),),
        "losses.kcl.head_hidden: belongs in [encoder], which all losses share",
    ),
    "a mode of another device": (
        (("[axes]", '[resources]\nexecution = "graphed"\n[axes]'),),
        "resources.execution: got graphed, which needs gpus_per_trial above 0",
    ),
    "a table of another task": (
        (("[axes]", "[sphere]\ndim = 4\n[axes]"),),
        "sphere: is for task sphere, and this is task images",
    ),
    "a factor of one": (
        (training('steps = 3\noptimizer = "adam"\nadam_beta2 = 1'), *_RATES),
        "training.adam_beta2: got 1, must be below 1",
    ),
    "no such schedule": (
        (training('steps = 3\nlr_schedule = "cosin"'),),
        "training.lr_schedule: got 'cosin' (did you mean cosine?), must be one of cosine, linear, constant",
    ),
    "half an epoch of warm-up": (
        (training("epochs = 3\nwarmup_epochs = 0.5"),),
        "training.warmup_epochs: got 0.5, must be a whole number",
    ),
    "batch norm of no layer": (
        (head("head_hidden = []\nhead_hidden_batch_norm = true"),),
        "encoder.head_hidden_batch_norm: got true, but head_hidden = [] is a head without hidden layers",
    ),
    "a layer without units": (
        (head("head_hidden = [64, 0]"),),
        "encoder.head_hidden.1: got 0, must be at least 1",
    ),
    "a width in quotes": (
        (head('head_hidden = ["64"]'),),
        "encoder.head_hidden.0: got '64', must be a whole number",
    ),
    "a width that is no list": (
        (head("head_hidden = 64"),),
        "encoder.head_hidden: got 64, must be a list such as [64]",
    ),
    "a head without outputs": (
        ((_PROJECTION, "projection_dim = 0"),),
        "encoder.projection_dim: got 0, must be at least 2",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_contradiction_is_one_line(case: str, write_study: WriteStudy) -> None:
    replacements, line = REFUSED[case]
    with pytest.raises(StudyError) as caught:
        expanded(write_study, *replacements)
    said = str(caught.value).removeprefix("tiny.toml: ")
    assert said.startswith(line)
    assert "\n" not in said


def test_trials_get_the_protocol(write_study: WriteStudy) -> None:
    keys = (
        'epochs = 3\noptimizer = "adam"\nadam_eps = 1e-6\nweight_decay = 5e-4\ndecayed = "all"\n'
        'schedule_by = "epoch"\nlr_schedule = "linear"\nwarmup_epochs = 1'
    )
    found = expanded(
        write_study, training(keys), *_RATES, head("head_hidden = [32, 32]\nhead_hidden_batch_norm = false")
    )
    for trial in found.trials:
        tree = canonical(trial.config.task)
        batch = trial.config.task.training.batch_size
        assert tree["training"] == {
            "batch_size": batch, "lr": 0.001, "epochs": 3, "optimizer": "adam", "adam_eps": 1e-6,
            "weight_decay": 5e-4, "decayed": "all", "schedule_by": "epoch", "lr_schedule": "linear",
            "warmup_epochs": 1,
        }  # fmt: skip
        assert tree["encoder"] == {
            "name": "small_conv", "width": 4, "projection_dim": 8, "head_hidden": [32, 32],
            "head_hidden_batch_norm": False,
        }  # fmt: skip


def test_defaults_that_are_written_out_change_no_id(write_study: WriteStudy) -> None:
    keys = (
        'steps = 3\noptimizer = "sgd"\nadam_beta1 = 0.9\nadam_beta2 = 0.999\nadam_eps = 1e-8\ndecayed = "weights"\n'
        'schedule_by = "step"\nlr_schedule = "cosine"'
    )
    written = expanded(write_study, training(keys), head("head_hidden_batch_norm = true"))
    assert [each.keys for each in written.trials] == [each.keys for each in expanded(write_study).trials]


def test_records_name_no_value_that_was_not_used(write_study: WriteStudy, tmp_path: Path) -> None:
    def contradictions(record: TrialRecord, name: str) -> tuple[str, ...]:
        store = RecordStore(tmp_path / name)
        store.put(record)
        return tuple(check_store(store, None).contradictions)

    keys = 'epochs = 2\noptimizer = "adamw"\nwarmup_epochs = 1\nschedule_by = "epoch"'
    found = expanded(write_study, training(keys), *_RATES)
    assert not {"hp_momentum", "hp_warmup_fraction"} & set(planned_rows(found)[0])
    record = run_trial(found.trials[0].config)
    assert record.status == "ok", record.error_traceback
    assert (record.hp_optimizer, record.hp_momentum, record.hp_warmup_fraction) == ("adamw", None, None)
    assert contradictions(record, "new") == ()
    older = dataclasses.replace(record, hp_momentum=0.9, hp_warmup_fraction=0.1)
    assert contradictions(older, "older") == ()
    [line] = contradictions(dataclasses.replace(record, hp_momentum=0.5), "wrong")
    assert line.endswith("hp_momentum is 0.5, and 0.9 in its config")


@pytest.mark.parametrize(
    ("axes", "budgets"), [("epochs = [1, 2]", {(1, None), (2, None)}), ("steps = [5]", {(None, 5)})]
)
def test_a_budget_may_be_on_the_axes_alone(
    axes: str, budgets: set[tuple[int | None, int | None]], write_study: WriteStudy
) -> None:
    swept = expanded(write_study, training(""), ("[8, 16]", f"[8]\n{axes}"))
    found = [each.config.task.training for each in swept.trials]
    assert {(each.epochs, each.steps) for each in found} == budgets
    assert len(swept.trials) == 2 * 3 * len(budgets)
    fixed = expanded(write_study, training("samples = 100"), ("[8, 16]", f"[8]\n{axes}"))
    assert [each.keys for each in fixed.trials] == [each.keys for each in swept.trials]
    assert swept.task.described()["training"].startswith("budget swept, SGD")


def test_a_budget_may_be_in_the_points_alone(write_study: WriteStudy) -> None:
    listed = expanded(
        write_study, training(""), ("[axes]", '[search]\ndesign = "list"\n[axes]'), ("[8, 16]", "[8]"),
        (_NTXENT, "points = [{ temperature = 0.1, steps = 2 }]"), ("t = [2.0]", "points = [{ t = 2.0, epochs = 1 }]"),
    )  # fmt: skip
    found = [each.config.task.training for each in listed.trials]
    assert {(each.epochs, each.steps) for each in found} == {(None, 2), (1, None)}
    assert listed.task.described()["training"].startswith("budget swept, SGD")


def test_a_linear_head_is_no_default_head(write_study: WriteStudy) -> None:
    linear = expanded(write_study, head("head_hidden = []"))
    without = expanded(write_study, head("head_hidden = []\nhead_hidden_batch_norm = false"))
    assert [each.keys for each in without.trials] == [each.keys for each in linear.trials]
    assert not {each.keys.trial_id for each in linear.trials} & {
        each.keys.trial_id for each in expanded(write_study).trials
    }


def test_rates_of_adam_may_be_on_the_axes_or_in_points(write_study: WriteStudy) -> None:
    adam = training('steps = 3\noptimizer = "adam"')
    swept = expanded(write_study, adam, ("[8, 16]", "[8]\nlr = [0.001, 0.01]"))
    assert {each.config.task.training.lr for each in swept.trials} == {0.001, 0.01}
    listed = expanded(
        write_study, adam, ("[axes]", '[search]\ndesign = "list"\n[axes]'), ("[8, 16]", "[8]"),
        (_NTXENT, "points = [{ temperature = 0.1, lr = 0.002 }]"),
        ("t = [2.0]", "points = [{ t = 2.0, lr = 0.003 }]"),
    )  # fmt: skip
    assert {each.config.task.training.lr for each in listed.trials} == {0.002, 0.003}


def test_rates_tuned_with_sgd_are_not_tuned_with_lars(write_study: WriteStudy) -> None:
    from search_spaces.spaces import SPACES

    for keys, expected in (("steps = 3", True), ('steps = 3\noptimizer = "lars"', False)):
        found = expanded(write_study, training(keys))
        _, tuned = found.task.tuned_rate(SPACES["ntxent"], found.trials[0].config.task)
        assert tuned == expected


@pytest.mark.parametrize(
    "change",
    [
        *(
            training(f"steps = 3\n{keys}")
            for keys in (
                'lr_schedule = "constant"',
                'schedule_by = "epoch"',
                "warmup_fraction = 0.0",
                "warmup_epochs = 0",
                "momentum = 0.0",
                'decayed = "all"',
                "weight_decay = 0.1",
                "lr_reference_batch = 128",
            )
        ),
        *(
            head(keys)
            for keys in ("head_hidden = []", "head_hidden_batch_norm = false", "head_batch_norm = true")
        ),
        ("test_limit = 60", 'test_limit = 60\nvalidation = "none"'),
        ("test_limit = 60", "test_limit = 60\nviews = { crop_scale = [0.2, 1.0] }"),
        ("[8, 16]", "[8, 16]\nmomentum = [0.9, 0.5]"),  # a part of the trials
    ],
)
def test_default_rates_are_not_tuned_under_another_protocol(
    write_study: WriteStudy, tmp_path: Path, change: Replacement
) -> None:
    loaded = load_study(str(write_study(change)), str(tmp_path / "store"), None)
    found = {(arm.lr_source, arm.lr_tuned) for arm in study_info(loaded.plan, loaded.study_file).arms}
    assert found == {("carried over from another protocol on this data, not tuned here", False)}


def test_the_report_says_what_trains(write_study: WriteStudy) -> None:
    def words(*replacements: Replacement) -> tuple[str, str]:
        spec = load_spec(str(write_study(*replacements))).spec
        return encoder_words(spec.encoder), training_words(spec.training, "3 steps")

    assert words() == (
        "small_conv, projection to 8 dimensions",
        (
            "3 steps, SGD with momentum 0.9, weight decay 1e-06 of the weights, learning rate by the sqrt rule over "
            "batch size / 256, warm-up over 10 % of the steps, then cosine; float32"
        ),
    )
    keys = (
        'steps = 3\noptimizer = "adamw"\nweight_decay = 5e-4\ndecayed = "all"\nwarmup_epochs = 0\n'
        'schedule_by = "epoch"'
    )
    other = words(training(keys), head("head_hidden = [32, 16]\nhead_hidden_batch_norm = false"))
    assert other == (
        "small_conv, projection to 8 dimensions over hidden layers of 32, 16 without batch norm",
        (
            "3 steps, AdamW with betas 0.9 and 0.999, and eps 1e-08, weight decay 0.0005 of all parameters, learning "
            "rate by the sqrt rule over batch size / 256, warm-up over no epochs, then cosine, one rate in each "
            "epoch; float32"
        ),
    )
    swept = expanded(write_study, ("[8, 16]", "[8]\nweight_decay = [0.0, 1e-4]\nmomentum = [0.5, 0.9]"))
    assert (
        "steps, SGD with swept momentum, swept weight decay of the weights, "
        in swept.task.described()["training"]
    )
    [_, by_epoch] = words(training('epochs = 3\nwarmup_epochs = 1\nschedule_by = "epoch"'))
    assert "warm-up over 1 epoch, then cosine, one rate in each epoch; " in by_epoch
    assert "warm-up over 10 % of the steps" in words(training('steps = 3\nschedule_by = "epoch"'))[1]
    once = expanded(write_study, training("steps = 1"))
    assert once.task.described()["training"].startswith("1 step, SGD")
    assert words(head("head_hidden = []"))[0] == "small_conv, projection to 8 dimensions by a linear layer"


@pytest.mark.parametrize(
    ("replacement", "least"),
    [
        # A fourth number for each weight of the encoder (9 * 4 * 41) and of the head (16 * 16 + 16 * 8).
        (training('steps = 3\noptimizer = "adam"'), 4 * (9 * 4 * 41 + 16 * 16 + 16 * 8)),
        # Three numbers for each weight beyond those of the default head, and the outputs of 2 * 8 images.
        (head("head_hidden = [1000]"), 4 * 3 * (1000 - 16) * (16 + 8) + 2 * 8 * 4 * 2 * (1000 - 16)),
    ],
)
def test_memory_grows_with_moments_and_head(
    replacement: Replacement, least: int, write_study: WriteStudy
) -> None:
    def bytes_of(*replacements: Replacement) -> int:
        found = expanded(write_study, *_RATES, *replacements)
        first = next(each.config.task for each in found.trials if each.config.task.training.batch_size == 8)
        return sum(found.task.least_memory(first).values())

    assert bytes_of(replacement) - bytes_of() == least


def test_a_wide_head_is_named_as_the_cause_of_its_memory(write_study: WriteStudy) -> None:
    found = expanded(write_study, head("head_hidden = [1000000]"))
    parts = found.task.least_memory(found.trials[0].config.task)
    assert max(parts, key=parts.__getitem__) == "encoder.head_hidden: got [1000000]"
