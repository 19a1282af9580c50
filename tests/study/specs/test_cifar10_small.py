"""The studies on CIFAR-10 images for two cores: what runs, at which rates, and what their evidence changes."""

import tomllib
from pathlib import Path

import pytest

from search_spaces.rates import EVIDENCE, SCORES, best_rates, load_evidence
from search_spaces.spaces import SPACES
from study.report.evidence import RESULTS
from study.spec.expand import count_trials
from study.spec.load import load_spec
from study.spec.schema import StudySpec

STUDIES = ("cifar10_small", "cifar10_small_rates", "cifar10_small_steps")

#: The sweep's rates, by the label of a loss in cifar10_small.
SWEEP = "cifar10_small_rates"


def rates(spec: StudySpec) -> dict[str, tuple[float, ...]]:
    return {
        label: tuple(float(rate) for rate in table["lr"].values()) for label, table in spec.losses.items()
    }


def test_the_main_study_has_every_loss_at_all_sizes_scales_and_seeds() -> None:
    spec = load_spec("cifar10_small").spec
    assert len(spec.seeds) == 5
    sizes = spec.axes["batch_size"].values()
    assert (min(sizes), max(sizes), len(sizes)) == (16, 256, 3)
    counts = count_trials(spec, None)
    assert counts.pop("flatnce") == 1 * 5 * 5  # the null control, at one batch size
    assert counts == dict.fromkeys(
        ("infonce", "ntxent", "dcl", "dhel", "kcl_gamma2", "kcl_gamma16"), 3 * 5 * 5
    )


def test_the_null_control_has_the_rate_of_its_twin() -> None:
    found = rates(load_spec("cifar10_small").spec)
    assert found["flatnce"] == found["dcl"]
    assert all(len(each) == 1 for each in found.values())


def test_the_sweep_has_every_loss_at_the_same_number_of_rates_and_other_seeds() -> None:
    main, sweep = load_spec("cifar10_small").spec, load_spec(SWEEP).spec
    assert set(sweep.losses) == set(main.losses) - {"flatnce"}
    assert not set(sweep.seeds) & set(main.seeds)
    assert {len(each) for each in rates(sweep).values()} == {5}
    assert len(set(count_trials(sweep, None).values())) == 1
    assert sweep.metric == main.metric == SCORES[SWEEP].removeprefix("val_")
    assert (sweep.training, sweep.encoder, sweep.data) == (main.training, main.encoder, main.data)


def test_equal_steps_differ_in_the_budget_and_in_what_is_left_out() -> None:
    main, steps = load_spec("cifar10_small").spec, load_spec("cifar10_small_steps").spec
    assert steps.training.epochs is None
    assert steps.training.model_dump(exclude={"steps", "epochs"}) == main.training.model_dump(
        exclude={"steps", "epochs"}
    )
    assert steps.axes == main.axes
    found = rates(main)
    assert rates(steps) == {label: found[label] for label in steps.losses}
    assert steps.lr_source == ""  # its rates are those of equal epochs


@pytest.mark.parametrize("name", STUDIES)
def test_evidence_changes_the_data_and_the_speed_alone(name: str) -> None:
    tree = tomllib.loads((RESULTS / name / "study.toml").read_text())
    tree.pop("lr_source", None)  # not inherited, so each file states its own
    assert tree == {
        "name": name,
        "extends": name,
        "data": {"name": "parquet:cifar10_jpeg"},
        "resources": {"execution": "fused"},
    }


RECORDED = sorted(path.stem for path in Path(EVIDENCE).glob("*.csv"))


def rates_in_use(study: str) -> dict[str, float]:
    """The rates that follow from a sweep, by label of a loss."""
    if study == SWEEP:
        return {label: each[0] for label, each in rates(load_spec("cifar10_small").spec).items()}
    return {loss: space.base_lr for loss, space in SPACES.items()}


@pytest.mark.parametrize("study", RECORDED)
def test_a_recorded_sweep_gives_the_rates_that_are_used(study: str) -> None:
    """The rates of the sweep's losses are those that the rule finds in the recorded rows."""
    chosen = best_rates(load_evidence(study))
    assert chosen.keys() == load_spec(study).spec.losses.keys()
    used = rates_in_use(study)
    assert chosen == {label: used[label] for label in chosen}


def test_cifar10_small_names_the_source_of_its_rates_once_its_sweep_is_recorded() -> None:
    """Without the recorded sweep, its rates do not count as tuned, and no test can check them."""
    assert "digits_learning_rates" in RECORDED
    assert set(RECORDED) <= set(SCORES)
    assert bool(load_spec("cifar10_small").spec.lr_source) == (SWEEP in RECORDED)
