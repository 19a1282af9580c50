"""Batch selection in a study file sets the method, its axis and its budget, and mistakes are named."""

from collections.abc import Callable

import pytest

from study.errors import StudyError
from study.launch.scheduling import form_stacks
from study.spec.expand import TrialSet, expand, planned_rows
from study.spec.load import load_spec
from tests.study.conftest import WriteStudy
from trainables.config import SelectionConfig
from trainables.selection.rounds import step_count
from trainables.work import WorkUnit

Expand = Callable[..., TrialSet]

AXIS = ("batch_size = [8, 16]", 'batch_size = [8]\nselection = ["shuffle", "osgd", "spectral"]')


@pytest.fixture
def expanded(write_study: WriteStudy) -> Expand:
    def expand_study(*replacements: tuple[str, str]) -> TrialSet:
        return expand(load_spec(str(write_study(*replacements))).spec, None)

    return expand_study


def table(text: str) -> tuple[str, str]:
    return ("[axes]", f"[selection]\n{text}\n[axes]")


def test_what_says_nothing_of_selection_and_what_says_shuffle_are_one_study(expanded: Expand) -> None:
    short, long = expanded(), expanded(table('method = "shuffle"'))
    assert [trial.keys for trial in short.trials] == [trial.keys for trial in long.trials]


def test_a_table_selects_for_all_trials(expanded: Expand) -> None:
    trial_set = expanded(table('method = "osgd"\nosgd_pool = 6\nosgd_keep = 2\nosgd_refresh = 4'))
    selections = {trial.config.task.selection for trial in trial_set.trials}
    assert selections == {SelectionConfig(method="osgd", pool=6, keep=2, refresh=4)}


def test_an_axis_sweeps_the_method_and_each_takes_its_own_numbers(expanded: Expand) -> None:
    trial_set = expanded(AXIS, table("osgd_pool = 6\nosgd_keep = 2\nspectral_pool = 4"))
    selections = list(dict.fromkeys(trial.config.task.selection for trial in trial_set.trials))
    assert selections == [
        SelectionConfig(),
        SelectionConfig(method="osgd", pool=6, keep=2),
        SelectionConfig(method="spectral", pool=4),
    ]
    assert {row["hp_selection"] for row in planned_rows(trial_set)} == {"shuffle", "osgd", "spectral"}
    assert len({trial.keys.trial_id for trial in trial_set.trials}) == len(trial_set.trials) == 3 * 3 * 2
    assert any("selection=osgd" in trial.title for trial in trial_set.trials)


def test_points_compare_at_equal_steps_and_at_equal_images(expanded: Expand) -> None:
    points = ", ".join(
        f'{{ selection = "{method}", {budget} }}'
        for budget in ("steps = 4", "samples = 640")
        for method in ("shuffle", "osgd", "spectral")
    )
    trial_set = expanded(
        ("[0.1, 0.5]", f"[0.1]\npoints = [{points}]"),
        ("[losses.kcl]\nt = [2.0]\n", '[search]\ndesign = "list"\n'),
        ("batch_size = [8, 16]", "batch_size = [8]"),
        table("osgd_pool = 6\nosgd_keep = 2\nspectral_pool = 4"),
    )
    tasks = [trial.config.task for trial in trial_set.trials if trial.config.seed == 0]
    steps = [step_count(task.training, task.selection, 200) for task in tasks]
    # 80 batches: all trained; ten rounds of 6 + 2; ten rounds of 4 + 4
    assert steps == [4, 4, 4, 80, 20, 40]


def test_trials_that_look_at_their_network_train_alone(expanded: Expand) -> None:
    trial_set = expanded(AXIS)
    trials, limit = trial_set.trials, trial_set.task.stack_limit
    limits = {trial.config.task.selection.method: limit(trial.config.task) for trial in trials}
    assert limits["osgd"] == limits["spectral"] == 1 < limits["shuffle"]
    units = [
        WorkUnit(trial_id=trial.keys.trial_id, attempt=0, config=trial.config, title="") for trial in trials
    ]
    for stack in form_stacks(units, 1, limit=limit, stacked=True):
        assert len({unit.config.task.selection.method for unit in stack}) == 1
        assert len(stack) == 1 or stack[0].config.task.selection.method == "shuffle"


@pytest.mark.parametrize(
    ("replacements", "words"),
    [
        ([table('method = "best"')], ["selection.method", "'best'", "shuffle"]),
        ([table("pool = 4")], ["selection.pool", "unknown key", "osgd_pool"]),
        ([table("osgd_pool = 4")], ["selection.osgd_pool", "method osgd", "no trial has"]),
        ([("batch_size = [8, 16]", 'batch_size = [8]\nselection = ["best"]')], ["selection", "'best'", "osgd"]),
        ([("batch_size = [8, 16]", "batch_size = [8]\nselection = [2]")], ["axes.selection: got 2, must be one of"]),
        ([AXIS, table("osgd_pool = 4\nosgd_keep = 5")], ["keep", "got 5 of a pool of 4"]),
        ([AXIS, table("spectral_pool = 26")], ["pool", "got 26", "from 1 to 25", "200 pairs"]),
        ([table('method = "full"')], ["batch_size", "got 8", "must be 200", "full"]),
        ([table('method = "all_subsets"')], ["all_subsets", "200 pairs", "5.510e+13 batches", "at most 100000"]),
        ([AXIS, ("steps = 3", "samples = 200")], ["training.samples", "got 200", "osgd", "before its first step"]),
        ([table('method = "osgd"\nosgd_pool = 0')], ["selection.osgd_pool", "0"]),
    ],
)  # fmt: skip
def test_slips_are_one_clear_line(
    replacements: list[tuple[str, str]], words: list[str], expanded: Expand
) -> None:
    with pytest.raises(StudyError) as error:
        expanded(*replacements)
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value), str(error.value)


def test_the_shipped_comparison_is_of_equal_steps_and_of_equal_images() -> None:
    spec = load_spec("batch_selection_cifar").spec
    points = spec.losses["ntxent"]["points"]
    budgets = {name: {point[name] for point in points if name in point} for name in ("steps", "samples")}
    assert all(len(values) == 1 for values in budgets.values())
    for name in budgets:
        assert [point["selection"] for point in points if name in point] == ["shuffle", "osgd", "spectral"]
