"""Costs of missing trials come from records of like trials or timed steps, and give the wall time of workers."""

import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pytest

from study.cli.plan import device_hours, show_plan
from study.cost.model import Conditions, CostModel, Kind, TrialCost, past_costs, study_costs
from study.cost.span import Span, spans_of, total
from study.cost.timed_steps import _quick_pairs, time_trials, whole_evaluation
from study.cost.timing import time_kinds, timed_costs
from study.launch.price import Price, Unpriced, price_missing
from study.launch.scheduling import form_stacks, work_unit
from study.launch.start import Workers, launch_trials, prepare_store
from study.loaded import LoadedStudy, load_study
from study.spec.schema import ResourcesSection
from tests.study.conftest import WriteStudy
from tests.study.running import invoke
from trainables.config import ProbeConfig, TrialConfig
from trainables.evaluation.probes import PROBES
from trainables.images import images_evaluation_parts, images_repeated_evaluation
from trainables.runtime import Runtime

HERE = Conditions(device="cpu", device_name="Chip", threads=1, execution="eager")
LONGER = ("steps = 3", "steps = 30")


def test_spans_are_of_all_groups_and_never_narrower_than_a_tenth() -> None:
    steady = spans_of({"a": [2.0], "b": [1.0, 1.0]})
    assert steady["a"] == Span(low=1.8, mid=2.0, high=2.2)
    wide = spans_of({"a": [2.0], "b": [1.0, 3.0]})
    assert wide["b"].mid == 2
    assert wide["a"].low < 1.8
    assert wide["a"].high > 2.2


def test_sums_of_spans_do_not_average_what_is_off_to_one_side() -> None:
    assert total([Span(low=1, mid=2, high=4)] * 3) == Span(low=3, mid=6, high=12)


@pytest.fixture
def loaded(write_study: WriteStudy, tmp_path: Path) -> LoadedStudy:
    return load_study(str(write_study(LONGER)), str(tmp_path / "store"), None)


def row(config: TrialConfig, **changes: object) -> dict[str, object]:
    from trainables.config import canonical_json

    known = {
        "status": "ok", "config": canonical_json(config), "stack_size": 1, "steps_done": 10,
        "seconds_pretrain": 5.0, "seconds_total": 8.0, "device": "cpu", "device_name": "Chip", "threads": 1,
        "execution_mode": "single:eager",
    }  # fmt: skip
    return known | changes


def costs_from(loaded: LoadedStudy, *rows: dict[str, object]) -> CostModel:
    """The model of a study from these records."""
    table = pa.Table.from_pylist(list(rows))
    keys = frozenset(Kind.of(trial.config, 1).key for trial in loaded.plan.trials)
    return CostModel(task=loaded.plan.trial_set.task, known=past_costs(table, keys, HERE))


def cost_of(costs: CostModel, config: TrialConfig, members: int = 1) -> TrialCost:
    cost = costs._trial_cost(Kind.of(config, members))
    assert cost is not None
    return cost


def test_records_price_trials_of_their_kind(loaded: LoadedStudy) -> None:
    config = loaded.plan.trials[0].config
    cost = cost_of(costs_from(loaded, row(config)), config)
    assert (cost.step.mid, cost.rest.mid) == (0.5, 3.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "crashed"},
        {"device_name": "Other"},
        {"threads": 2},
        {"execution_mode": "single:compiled"},
        {"seconds_total": 4.0},  # of an encoder that was kept, or a trial taken up again
        {"steps_done": 0},
    ],
)
def test_records_of_other_conditions_price_nothing(loaded: LoadedStudy, changes: dict[str, object]) -> None:
    costs = costs_from(loaded, row(loaded.plan.trials[0].config, **changes))
    assert costs.known == {}
    assert costs.seconds_per_unit is None


def test_records_of_much_larger_stacks_do_not_tell_of_a_kind(loaded: LoadedStudy) -> None:
    config = loaded.plan.trials[0].config
    costs = costs_from(loaded, row(config, stack_size=4, execution_mode="stacked:eager"))
    assert not costs.is_known(Kind.of(config, 1))
    assert costs.is_known(Kind.of(config, 2))


def test_records_of_other_studies_tell_nothing(loaded: LoadedStudy) -> None:
    config = loaded.plan.trials[0].config
    wider = dataclasses.replace(config.task.encoder, width=64)
    other = dataclasses.replace(config, task=dataclasses.replace(config.task, encoder=wider))
    assert costs_from(loaded, row(other)).known == {}


def test_what_no_record_tells_of_costs_as_the_nearest_kind_between_wider_ends(loaded: LoadedStudy) -> None:
    """Twice the fixed work of a step and its pairs take twice the seconds."""
    small = next(t.config for t in loaded.plan.trials if t.config.task.training.batch_size == 8)
    large = next(t.config for t in loaded.plan.trials if t.config.task.training.batch_size == 16)
    costs = costs_from(loaded, row(small))
    seen, guessed = cost_of(costs, small), cost_of(costs, large)
    assert guessed.step.mid == pytest.approx(seen.step.mid * (16 + 48) / (8 + 48))
    assert guessed.step.high / guessed.step.low > 2 * seen.step.high / seen.step.low
    assert guessed.rest == seen.rest


def test_trials_that_train_nothing_cost_what_their_measures_take(loaded: LoadedStudy) -> None:
    config = loaded.plan.trials[0].config
    cost = cost_of(costs_from(loaded, row(config, steps_done=None, seconds_pretrain=None)), config)
    assert (cost.step.mid, cost.rest.mid) == (0.0, 8.0)


def test_without_records_costs_are_relative_to_the_pairs_of_all_steps(loaded: LoadedStudy) -> None:
    costs = CostModel(task=loaded.plan.trial_set.task)
    units = [work_unit(trial, loaded.context) for trial in loaded.plan.trials]
    for unit, cost in zip(units, costs.unit_costs([(unit,) for unit in units]).values(), strict=True):
        assert cost == 30 * (unit.config.task.training.batch_size + 48)
    assert costs.stack_seconds((units[0],)) is None


def test_a_kind_is_all_but_seed_rate_budget_and_numbers_of_the_loss(loaded: LoadedStudy) -> None:
    first, *others = [trial.config for trial in loaded.plan.trials]
    kind = Kind.of(first, 1)
    alike = [Kind.of(config, 1) == kind for config in others]
    same = [
        (config.loss.name, config.task.training.batch_size)
        == (first.loss.name, first.task.training.batch_size)
        for config in others
    ]
    assert alike == same
    training = dataclasses.replace(first.task.training, lr=9.0, steps=1000)
    longer = dataclasses.replace(first, task=dataclasses.replace(first.task, training=training))
    assert Kind.of(longer, 1) == kind


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"lr_schedule": "linear", "schedule_by": "epoch", "warmup_epochs": 1}, True),
        ({"adam_beta1": 0.5}, True),
        ({"optimizer": "adam"}, False),
    ],
)
def test_a_schedule_costs_nothing_and_an_optimizer_does(
    loaded: LoadedStudy, changes: dict[str, object], same: bool
) -> None:
    config = loaded.plan.trials[0].config
    training = dataclasses.replace(config.task.training, **changes)
    other = dataclasses.replace(config, task=dataclasses.replace(config.task, training=training))
    assert (Kind.of(other, 1) == Kind.of(config, 1)) == same


def test_timed_steps_are_of_one_trial_of_a_stack(loaded: LoadedStudy) -> None:
    stack = [trial.config for trial in loaded.plan.trials[:4]]
    times = time_trials([("stack", stack)], Runtime())
    assert len(times.steps["stack"]) == 12
    assert min(times.steps["stack"]) > 0
    assert 0 < times.evaluation.low <= times.evaluation.mid <= times.evaluation.high


def test_evaluation_of_large_data_is_scaled_up(loaded: LoadedStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    task = loaded.plan.trials[0].config.task  # 200 images, ten labels of ten classes
    assert images_evaluation_parts(task, Runtime()) == [(1, task)]
    data = dataclasses.replace(task.data, train_limit=None, test_limit=None)
    few = dataclasses.replace(task, data=data, probe=dataclasses.replace(task.probe, suite=("probe1",)))
    config = dataclasses.replace(loaded.plan.trials[0].config, task=few)
    monkeypatch.setattr("trainables.images._FEW_EVALUATED", 50)
    monkeypatch.setattr("trainables.images._EVALUATED", 200)
    parts = images_evaluation_parts(few, Runtime())
    assert [part for part, _ in parts] == [50 / 997, 100 / 997, 200 / 997]
    assert [smaller.data.train_limit for _, smaller in parts] == [50, 100, 200]
    more = dataclasses.replace(few, data=data, probe=task.probe)
    assert [part for part, _ in images_evaluation_parts(more, Runtime())] == pytest.approx([220 / 997])
    evaluation = time_trials([("one", [config])], Runtime()).evaluation
    assert 0 < evaluation.low <= evaluation.mid <= evaluation.high


def test_epochs_of_new_crops_are_timed_by_a_difference_of_few(
    loaded: LoadedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = loaded.plan.trials[0].config.task
    data = dataclasses.replace(task.data, train_limit=None, test_limit=None)
    probe = ProbeConfig(suite=("knn", "probe_sgd", "probe_adam"), sgd_epochs=300, sgd_augment=True)
    crops = dataclasses.replace(task, data=data, probe=probe)
    assert images_repeated_evaluation(dataclasses.replace(crops, probe=task.probe), Runtime()) is None
    assert (
        images_repeated_evaluation(
            dataclasses.replace(crops, probe=dataclasses.replace(probe, suite=("knn",))), Runtime()
        )
        is None
    )
    config, timed = dataclasses.replace(loaded.plan.trials[0].config, task=crops), []

    def seconds(given: TrialConfig, runtime: Runtime) -> float:
        """An evaluation that takes 2 s, and 1 s for each epoch of new crops of all images."""
        probe, share = given.task.probe, (given.task.data.train_limit or 997) / 997
        timed.append((probe.suite, probe.sgd_augment and probe.sgd_epochs))
        return 2.0 + share * sum(PROBES[name].augmented_epochs(probe) for name in probe.suite)

    monkeypatch.setattr("study.cost.timed_steps.run_evaluation", seconds)
    monkeypatch.setattr("study.cost.timed_steps.whole_evaluation", lambda seen: Span(low=2, mid=2, high=2))
    evaluation = time_trials([("one", [config])], Runtime()).evaluation
    assert evaluation.mid == pytest.approx(302)
    assert evaluation.low < 302 < evaluation.high
    # A quarter of the images: 32 epochs take four times as long as the rest.
    assert timed[-4:] == [(("probe_sgd",), number) for number in (1, 3, 9, 33)]
    assert set(timed[:-4]) == {(probe.suite, False)}


def test_records_of_other_stacks_price_between_wide_ends(loaded: LoadedStudy) -> None:
    """Two trials in one stack: at most as dear as half of a step of four, or as much a trial."""
    config = loaded.plan.trials[0].config
    cost = cost_of(costs_from(loaded, row(config, stack_size=4)), config, members=2)
    same = cost_of(costs_from(loaded, row(config, stack_size=2)), config, members=2)
    assert same.step.mid < cost.step.mid < 2 * same.step.mid
    assert cost.step.low == pytest.approx(same.step.low)
    assert cost.step.high == pytest.approx(2 * same.step.high)
    assert cost.rest == same.rest


def test_evaluation_on_all_images_is_between_growth_as_seen_and_linear_growth() -> None:
    linear = whole_evaluation([(0.25, 2.0), (0.5, 4.0)])
    assert (linear.low, linear.mid, linear.high) == pytest.approx((8, 8, 8))
    fixed = whole_evaluation([(0.25, 3.0), (0.5, 4.0)])
    assert fixed.mid == pytest.approx(6.0)
    assert fixed.low < 6 < fixed.high == 8
    squares = whole_evaluation([(0.25, 1.0), (0.5, 4.0)])
    assert (squares.low, squares.high) == pytest.approx((8, 16))
    noise = whole_evaluation([(0.25, 4.0), (0.5, 3.0)])
    assert noise.low <= noise.mid <= noise.high
    alone = whole_evaluation([(0.125, 2.6)])  # of a ResNet-18, which took 23.6 s on all
    assert alone.low < 23.6 < alone.high


def test_timing_ends_and_prices_the_rest_by_their_like(
    loaded: LoadedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no time at all one kind is timed still; the others are priced by it, between wider ends."""
    stacks = {
        Kind.of(trial.config, 1): [trial.config] for trial in loaded.plan.trials if trial.config.seed == 0
    }
    monkeypatch.setattr("study.cost.timed_steps._PATIENCE", 0.0)
    times = time_trials(list(stacks.items()), Runtime())
    assert len(times.steps) == 1 < len(stacks)
    found = timed_costs([times])
    assert set(found) == set(times.steps)
    costs = CostModel(task=loaded.plan.trial_set.task).with_known(found)
    steps = {kind: cost_of(costs, stack[0]).step for kind, stack in stacks.items()}
    widths = {kind: step.high / step.low for kind, step in steps.items()}
    (timed,) = times.steps
    assert all(width > 2 * widths[timed] for kind, width in widths.items() if kind != timed)


def test_slow_steps_are_timed_with_few_pairs() -> None:
    assert _quick_pairs(256, 1, pace=0.04) == 16
    assert _quick_pairs(256, 1, pace=0.004) == 64
    assert _quick_pairs(256, 1, pace=0.0004) == 256
    assert _quick_pairs(256, 4, pace=0.0004) == 256
    assert _quick_pairs(256, 16, pace=0.0004) == 64
    assert _quick_pairs(8, 1, pace=1.0) == 8


@pytest.mark.slow
def test_trials_that_cannot_run_have_no_price(loaded: LoadedStudy) -> None:
    config = loaded.plan.trials[0].config
    broken = dataclasses.replace(config, loss=dataclasses.replace(config.loss, name="none_such"))
    assert time_kinds({Kind.of(broken, 1): [broken]}, Runtime(), at_once=1) is None


def test_a_plan_is_priced_by_timing_and_then_by_records(write_study: WriteStudy, tmp_path: Path) -> None:
    """Timed while there are no records, from records once there are some; nothing is written."""
    study, store = write_study(LONGER), tmp_path / "store"
    result = invoke("plan", study, "--store", store, "--workers", 2, "--json")
    assert "timing a few steps of each of" in result.stderr
    told = json.loads(result.stdout)
    assert told["price_from"] == "timed"
    assert 0 < told["kinds_timed"] <= told["kinds"]
    assert told["kinds_recorded"] == 0
    low, high = told["estimated_seconds_between"]
    assert 0 < low < told["estimated_seconds"] < high
    assert told["device"] == "processor"
    assert told["early_stopping"] is False
    assert not store.exists()

    loaded = load_study(str(study), str(store), None)
    prepare_store(str(study), loaded)
    launch_trials(loaded, loaded.plan.missing[:6], Workers(count=1, runner="inline"))
    left = load_study(str(study), str(store), None)
    price = price_missing(left, 1, at_once=1, timed=False)
    if isinstance(price, Price):  # where the stacks of what is left are like those that ran
        assert price.source == "records"
        assert price.wall.mid <= price.work.mid * 1.001
    else:
        assert price.recorded < price.kinds
    done = left.store.read().table
    assert sum(done["seconds_evaluate"].to_pylist()) > 0


def test_nothing_missing_costs_nothing(write_study: WriteStudy, tmp_path: Path) -> None:
    study, store = write_study(("seeds = [0, 1]", "seeds = [0]")), tmp_path / "store"
    loaded = load_study(str(study), str(store), None)
    prepare_store(str(study), loaded)
    launch_trials(loaded, loaded.plan.missing, Workers(count=1, runner="inline"))
    assert "Nothing is missing" in invoke("plan", study, "--store", store).output


def test_records_tell_a_launch_and_a_plan_of_their_kinds_alone(
    write_study: WriteStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where they tell of all, nothing is timed, and the time left is known at once; of some, it is known in part."""
    study, store = write_study(LONGER, ("[8, 16]", "[8]")), tmp_path / "store"
    loaded = load_study(str(study), str(store), None)
    assert study_costs(loaded).seconds_per_unit is None
    prepare_store(str(study), loaded)
    launch_trials(loaded, loaded.plan.missing, Workers(count=1, runner="inline"))

    more = write_study(LONGER, ("[8, 16]", "[8]"), ("seeds = [0, 1]", "seeds = [0, 1, 2, 3]"))
    result = invoke("plan", more, "--store", store, "--workers", 1)
    assert "from finished trials of this store." in result.output.replace("\n", " ")
    assert "timing" not in result.stderr
    grown = load_study(str(more), str(store), None)
    costs = study_costs(grown)
    assert costs.seconds_per_unit == 1
    price = price_missing(grown, 1, at_once=1, timed=False)
    assert isinstance(price, Price)
    units = [work_unit(trial, grown.context) for trial in grown.plan.missing]
    stacks = form_stacks(units, 1, limit=grown.plan.trial_set.task.stack_limit, stacked=True)
    assert sum(costs.unit_costs(stacks).values()) == pytest.approx(price.work.mid)

    wider = load_study(str(write_study(LONGER, ("seeds = [0, 1]", "seeds = [0, 1, 2, 3]"))), str(store), None)
    unpriced = price_missing(wider, 1, at_once=1, timed=False)
    assert isinstance(unpriced, Unpriced)
    assert 0 < unpriced.recorded < unpriced.kinds
    assert (
        study_costs(wider).seconds_per_unit == 1
    )  # a launch takes the nearest kind's seconds for the others
    capsys.readouterr()
    show_plan(str(tmp_path / "tiny.toml"), str(store), None, as_json=False, workers=1, timed=False)
    assert "Price: known in part: the records of this store cover" in capsys.readouterr().out


def test_hours_are_of_processors_or_of_the_gpus_of_workers() -> None:
    hour = Span(low=3600, mid=3600, high=3600)
    assert device_hours(ResourcesSection(cpus_per_trial=4), hour)[1].mid == 4
    one = Span(low=1, mid=1, high=1)
    assert device_hours(ResourcesSection(gpus_per_trial=0.25), hour) == ("GPU", one)
    assert device_hours(ResourcesSection(gpus_per_trial="auto"), hour) == ("GPU", one)
    assert device_hours(ResourcesSection(gpus_per_trial=2), hour)[1].mid == 2
