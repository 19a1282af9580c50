"""Claims of a study file that no trial can decide are refused before any trial runs, and the line says why."""

import dataclasses
from collections.abc import Mapping

import pytest

from study.errors import StudyError
from study.spec.expand import TrialSet, count_trials, expand
from study.spec.load import load_spec
from study.spec.tasks.registry import open_task
from tests.study.conftest import WriteStudy
from trainables.config import TASKS
from trainables.store.schema import TrialRecord, column_tasks, is_text_column
from trainables.trial import run_trial

ROWS = 'rows = { arm = "ntxent", batch_size = 8, temperature = 0.1 }\n'
_SPHERE = """
name = "tiny"
task = "sphere"
seeds = [0]
[sphere]
n_pairs = 8
dim = 16
[training]
steps = 20
lr = 1.0
[axes]
batch_size = [4]
[losses.infonce]
temperature = [0.5]
"""
_DIAGNOSTIC = """
name = "tiny"
task = "diagnostic"
seeds = [0]
metric = "{metric}"
[diagnostic]
measure = "{measure}"
n_pairs = 16
dim = 4
passes = 2
[axes]
batch_size = [8]
[losses.ntxent]
temperature = [0.5]
"""


def claim(keys: str, rows: str = ROWS, more: str = "") -> tuple[str, str]:
    """The replacement that adds a claim to the tiny study."""
    text = f'{more}[[claims]]\nname = "a"\nclaim = "b"\npaper = "c"\n{rows}{keys}\n[losses.kcl]'
    return "[losses.kcl]", text


def expanded(write_study: WriteStudy, *replacements: tuple[str, str]) -> TrialSet:
    return expand(load_spec(str(write_study(*replacements))).spec, None)


_SHARE = "because test_probe10_accuracy is a share"
_NUMBER = 'column = "test_probe10_accuracy"\nexpected = '
_OPTUNA = '[search]\ndesign = "optuna"\ntrials = 4\n'

#: The keys of a claim, and the line that refuses it.
REFUSED: dict[str, tuple[tuple[str, str], str]] = {
    "a number in percent": (
        claim(f"{_NUMBER}85.0"),
        f"claims.a.expected: got 85, must be from 0 to 1, {_SHARE} (0.85 for 85 %)",
    ),
    "a number that is no percentage either": (
        claim(f"{_NUMBER}-3"),
        f"claims.a.expected: got -3, must be from 0 to 1, {_SHARE}",
    ),
    "a bound in percent": (
        claim('column = "test_probe10_accuracy"\nat_least = 90'),
        f"claims.a.at_least: got 90, must be from 0 to 1, {_SHARE} (0.9 for 90 %)",
    ),
    # sqrt(0.85 * 0.15 * 3 / 2) = 0.4373
    "a spread in percent": (
        claim(f"{_NUMBER}0.85\nspread = 0.5\nruns = 3"),
        (
            "claims.a.spread: got 0.5, must be at most 0.437, as 3 runs with this mean cannot vary more, "
            f"{_SHARE} (0.005 for 0.5 %)"
        ),
    ),
    "a number of steps below 0": (
        claim('column = "steps_done"\nat_most = -1'),
        "claims.a.at_most: got -1, must be at least 0",
    ),
    "a text": (
        claim('column = "status"\nexpected = 1'),
        "claims.a.column: got 'status', which is a text",
    ),
    "a probe that does not run": (
        claim('column = "test_probe_sgd_accuracy"\nexpected = 0.9'),
        "claims.a.column: got 'test_probe_sgd_accuracy', which needs probe_sgd in probe.suite",
    ),
    "a column of another task": (
        claim('column = "optimum_gap"\nat_most = 0.1'),
        "claims.a.column: got 'optimum_gap', which no trial of task images has",
    ),
    "an epoch that nothing chooses": (
        claim('column = "best_epoch"\nat_most = 2'),
        "claims.a.column: got 'best_epoch', and training.evaluated_epoch is last",
    ),
    "an expected number and a reason not to test": (
        claim(f'{_NUMBER}0.9\nuntestable = "u"'),
        "claims.0: claim a: untestable is given too; leave out column and expected",
    ),
    "a bound and a reason not to test": (
        claim('at_most = 0.9\nuntestable = "u"'),
        "claims.0: claim a: untestable is given too; leave out at_most",
    ),
    "no rows": (
        claim(f"{_NUMBER}0.9", rows=""),
        (
            "claims.a.rows: is missing; it must choose one configuration of 6, whose seeds the expected number is "
            "held against"
        ),
    ),
    "rows of several configurations": (
        claim(f"{_NUMBER}0.9", rows="rows = { batch_size = 8 }\n"),
        "claims.a: got 'batch_size 8', which are 3 configurations",
    ),
    "a number of a search": (
        claim(f"{_NUMBER}0.9", more=_OPTUNA),
        (
            "claims.a.expected: is held against the seeds of one configuration, and search.design = optuna chooses "
            "configurations while the study runs"
        ),
    ),
    "a column of a search": (
        claim('column = "test_probe10_acuracy"\nat_least = 0.9', more=_OPTUNA),
        "claims.a: got 'test_probe10_acuracy' (did you mean test_probe10_accuracy?), which no trial",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_claim_that_no_trial_can_decide(case: str, write_study: WriteStudy) -> None:
    replacement, line = REFUSED[case]
    with pytest.raises(StudyError) as caught:
        expanded(write_study, replacement)
    said = str(caught.value).removeprefix("tiny.toml: ")
    assert said.startswith(line)
    assert "\n" not in said


def test_validation_without_a_split(write_study: WriteStudy) -> None:
    none = ("test_limit = 60", 'test_limit = 60\nvalidation = "none"')
    with pytest.raises(StudyError, match=r"which needs validation images, and data\.validation is none"):
        expanded(write_study, none, claim('column = "val_probe10_accuracy"\nexpected = 0.9'))
    assert expanded(write_study, none, claim(f"{_NUMBER}0.9")).trials


def test_a_claim_is_checked_without_the_data(write_study: WriteStudy) -> None:
    absent = ('name = "digits"', 'name = "parquet:pictures"')
    spec = load_spec(str(write_study(absent, claim(f"{_NUMBER}90")))).spec
    with pytest.raises(StudyError, match=r"claims\.a\.expected: got 90, must be from 0 to 1"):
        count_trials(spec, None)


@pytest.mark.parametrize(
    "keys",
    [
        f"{_NUMBER}1\nspread = 0.001\nruns = 3",  # a rounded mean
        f"{_NUMBER}0.5\nspread = 0.7\nruns = 2",  # the values 0 and 1: 0.7071
        f"{_NUMBER}0.0",
        'column = "train_loss_last"\nexpected = 5.18\nspread = 0.01\nruns = 3',
        'untestable = "u"',
        'column = "h_dim"\nat_least = 2',
    ],
)
def test_a_claim_that_trials_can_decide(keys: str, write_study: WriteStudy) -> None:
    assert len(expanded(write_study, claim(keys)).trials) == 12


_MEASURED = {
    "batches": "gradient_bias",
    "precision": "gradient_error_float16",
    "points": "z_energy_distance",
}
STUDIES: Mapping[str, str] = {"images": "", "sphere": _SPHERE} | {
    measure: _DIAGNOSTIC.format(measure=measure, metric=metric) for measure, metric in _MEASURED.items()
}

#: Columns that a finished trial may leave empty though its task has them.
_SOMETIMES = {"pruned_by", "rung", "rung_score", "samples_selection", "peak_memory_bytes", "stack_size"}


@pytest.mark.parametrize("name", STUDIES)
def test_trials_have_every_column_that_the_task_does_not_lack(name: str, write_study: WriteStudy) -> None:
    path = write_study()
    if STUDIES[name]:
        path.write_text(STUDIES[name])
    spec = load_spec(str(path)).spec
    record = run_trial(expand(spec, None).trials[0].config)
    assert record.status == "ok"
    task = open_task(spec, None)
    for field in dataclasses.fields(TrialRecord):
        lacking, value = task.lacks(field.name), getattr(record, field.name)
        assert not (lacking and value is not None), field.name
        if not is_text_column(field.name) and not field.name.startswith("hp_"):
            assert lacking or value is not None or field.name in _SOMETIMES, field.name


def test_tasks_of_columns_exist() -> None:
    for field in dataclasses.fields(TrialRecord):
        assert set(column_tasks(field.name)) <= set(TASKS)
