"""A study file expands to its plan: a full grid of distinct trials, frozen for the quickstart."""

from pathlib import Path

import pytest

from study.spec.expand import TrialSet, expand
from study.spec.load import load_spec
from study.spec.source import shipped_studies
from tests.golden.contents import PLAN_GOLDEN, quickstart_lines
from tests.study.conftest import WriteStudy


def expanded(path: Path) -> TrialSet:
    return expand(load_spec(str(path)).spec, None)


def test_the_quickstart_plan_is_frozen() -> None:
    """Regenerate with `uv run python -m tests.golden.regenerate`; changed ids orphan the records of every user."""
    assert quickstart_lines() == PLAN_GOLDEN.read_text().splitlines()


def test_the_grid_is_full_and_every_trial_is_its_own(write_study: WriteStudy) -> None:
    trial_set = expanded(write_study())
    # 2 batch sizes x (2 temperatures + 1 kernel scale) x 2 seeds
    assert len(trial_set.trials) == 12
    assert len({trial.keys.trial_id for trial in trial_set.trials}) == 12
    assert len({trial.keys.config_id for trial in trial_set.trials}) == 6


def test_what_is_spelled_out_and_what_is_default_are_one_trial(write_study: WriteStudy) -> None:
    short = expanded(write_study())
    long = expanded(write_study(("t = [2.0]", 't = 2\nkernel = "gaussian"\ngamma = 16')))
    assert [trial.keys for trial in short.trials] == [trial.keys for trial in long.trials]


def test_an_added_value_keeps_the_old_trials(write_study: WriteStudy) -> None:
    before = {trial.keys.trial_id for trial in expanded(write_study()).trials}
    after = {
        trial.keys.trial_id for trial in expanded(write_study(("[0.1, 0.5]", "[0.1, 0.25, 0.5]"))).trials
    }
    assert before < after


@pytest.mark.parametrize("given", ["16", "[16]", "16.0"])
def test_a_loss_may_run_with_some_values_of_a_shared_axis(given: str, write_study: WriteStudy) -> None:
    before = expanded(write_study())
    trial_set = expanded(write_study(("t = [2.0]", f"t = [2.0]\nbatch_size = {given}")))
    kept = [
        trial.keys
        for trial in before.trials
        if trial.arm == "ntxent" or trial.config.task.training.batch_size == 16
    ]
    assert [trial.keys for trial in trial_set.trials] == kept
    assert len(kept) == 10
    assert [arm.measures["batch_size"] for arm in trial_set.arms] == ["log", "log"]


def test_names_of_study_and_arm_are_no_part_of_a_trial(write_study: WriteStudy) -> None:
    renamed = write_study(
        ('name = "tiny"', 'name = "other"'), ("[losses.ntxent]", '[losses.simclr]\nloss = "ntxent"')
    )
    before = [trial.keys for trial in expanded(write_study()).trials]
    assert [trial.keys for trial in expanded(renamed).trials] == before


def test_a_rate_on_the_axes_replaces_the_base_rates(write_study: WriteStudy) -> None:
    trial_set = expanded(write_study(("batch_size = [8, 16]", "batch_size = [8]\nlr = [0.1, 1.0]")))
    assert {trial.config.task.training.lr for trial in trial_set.trials} == {0.1, 1.0}
    assert len(trial_set.trials) == 12


def test_a_budget_on_the_axes_replaces_the_fixed_one(write_study: WriteStudy) -> None:
    trial_set = expanded(write_study(("batch_size = [8, 16]", "batch_size = [8]\nepochs = [1, 2]")))
    budgets = {(t.config.task.training.epochs, t.config.task.training.steps) for t in trial_set.trials}
    assert budgets == {(1, None), (2, None)}


def test_a_loss_without_values_takes_its_default_space(write_study: WriteStudy) -> None:
    trial_set = expanded(write_study(("temperature = [0.1, 0.5]", "")))
    temperatures = [trial.config.loss.params.get("temperature") for trial in trial_set.trials]
    assert {0.03125, None, 2.0} <= set(temperatures)  # 0.25 is the default and left out


def test_a_loss_of_ones_own(write_study: WriteStudy) -> None:
    own = '[losses."tests.study.own_loss:Spread"]\nweight = [0.5, 1.0]\nlr = 0.1'
    trial_set = expanded(write_study(("[losses.kcl]\nt = [2.0]", own)))
    arm = trial_set.arms[-1]
    assert arm.main_axis == "weight"
    assert len([trial for trial in trial_set.trials if trial.arm == arm.label]) == 8


@pytest.mark.parametrize("name", shipped_studies())
def test_shipped_studies_are_sound(name: str, request: pytest.FixtureRequest) -> None:
    spec = load_spec(name).spec
    data = spec.data.name if spec.task == "images" else ""
    root = request.getfixturevalue("cifar10_root") if "cifar10" in data else None
    if data in ("cifar10", "cifar100"):  # not to be had here: other files with the same or similar images
        spec = spec.model_copy(update={"data": spec.data.model_copy(update={"name": "parquet:cifar10_jpeg"})})
    assert expand(spec, root).trials
    assert spec.name == name
    assert spec.description
