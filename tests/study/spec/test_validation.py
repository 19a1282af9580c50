"""A study without validation data refuses what needs validation scores in one line, and plans with all images."""

import re

import pytest

from study.errors import StudyError
from study.spec.expand import expand
from study.spec.load import load_spec
from study.spec.tasks.images import ImagesStudy
from study.spec.without_effect import keys_without_effect
from tests.study.conftest import WriteStudy

NONE = ("test_limit = 60", 'test_limit = 60\nvalidation = "none"')
STEPS = "steps = 3"

REFUSED = {
    "training.evaluated_epoch = best_validation": (STEPS, f'{STEPS}\nevaluated_epoch = "best_validation"'),
    "keep.encoders = best": ("[axes]", '[keep]\nencoders = "best"\n[axes]'),
    "keep.curve_epochs": ("[axes]", "[keep]\ncurve_epochs = 1\n[axes]"),
    "search.design = optuna": ("[axes]", '[search]\ndesign = "optuna"\ntrials = 2\n[axes]'),
    "search.early_stopping": (
        "[axes]",
        '[search]\ndesign = "optuna"\ntrials = 2\nearly_stopping = { min_resource = 1 }\n[axes]',
    ),
}


@pytest.mark.parametrize("asked", REFUSED)
def test_what_needs_validation_scores_is_refused(asked: str, write_study: WriteStudy) -> None:
    load_spec(str(write_study(REFUSED[asked])))
    line = f"{asked} needs validation scores, and data.validation is none"
    with pytest.raises(StudyError, match=re.escape(line)):
        load_spec(str(write_study(NONE, REFUSED[asked])))


def test_a_study_without_validation_plans_with_all_images(write_study: WriteStudy) -> None:
    kept = ("[axes]", '[keep]\nencoders = "all"\n[axes]')
    spec = load_spec(str(write_study(NONE, kept, (STEPS, f'{STEPS}\nevaluated_epoch = "best_test"')))).spec
    task = expand(spec, None).task
    assert isinstance(task, ImagesStudy)
    assert task.described()["data"].startswith("digits: 200 training, no validation and 60 test images")
    assert task.described()["training"].endswith("best nearest-neighbour accuracy on test images")
    assert task.notes == (
        "data.validation is none, so nothing can be selected: there will be no tuned scores",
        "training.evaluated_epoch is best_test: test images choose, so scores are too high",
    )
    metric = task.metric(None)  # type: ignore[arg-type]
    assert metric.selecting_column == metric.reporting_column == "test_probe10_accuracy"
    assert metric.no_choice == "no validation data, so nothing could be selected"
    assert task.least_memory(task.build({"batch_size": 8, "lr": 0.1}))


def test_the_best_epoch_uses_the_neighbours_of_the_probe(write_study: WriteStudy) -> None:
    chosen, k = (STEPS, f'{STEPS}\nevaluated_epoch = "best_test"'), ("draws = 2", "knn_k = 5")
    for replacements, said in (((k,), 1), ((k, chosen), 0)):
        spec = load_spec(str(write_study(*replacements))).spec
        tasks = [trial.config.task for trial in expand(spec, None).trials]
        assert len(keys_without_effect(spec, tasks)) == said
    spec = load_spec(str(write_study(("draws = 2", "knn_k = 200"), chosen))).spec
    with pytest.raises(StudyError, match=r"probe.knn_k: got 200, must be below 200"):
        expand(spec, None)


def test_the_best_weights_need_memory(write_study: WriteStudy) -> None:
    last, best = (
        expand(load_spec(str(write_study(*changes))).spec, None).task
        for changes in ((), ((STEPS, f'{STEPS}\nevaluated_epoch = "best_test"'),))
    )
    needed = [
        sum(task.least_memory(task.build({"batch_size": 8, "lr": 0.1})).values()) for task in (last, best)
    ]
    assert needed[1] > needed[0]
