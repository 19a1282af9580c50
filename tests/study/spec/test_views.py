"""Recipes of views in a study file: the trials that they give, what is refused, and what reports say of them."""

from pathlib import Path

import pytest

from study.errors import StudyError
from study.report.integrity import check_store
from study.spec.expand import TrialSet, expand
from study.spec.load import load_spec
from study.spec.without_effect import keys_without_effect
from tests.study.conftest import WriteStudy
from tests.study.running import invoke
from trainables.store.records import RecordStore
from trainables.trial import run_trial
from trainables.views.recipes import VIEWS, ViewRecipe, fields_text

_DATA = 'name = "digits"'


def expanded(write_study: WriteStudy, views: str) -> TrialSet:
    return expand(load_spec(str(write_study((_DATA, f"{_DATA}\nviews = {views}")))).spec, None)


def trial_ids(write_study: WriteStudy, views: str) -> list[str]:
    return [trial.keys.trial_id for trial in expanded(write_study, views).trials]


@pytest.mark.parametrize(
    "table",
    [
        '{ base = "digits" }',
        "{ jitter_probability = 0.8 }",
        (
            '{ base = "none", crop_scale = [0.6, 1], jitter_probability = 0.8, brightness = 0.4, contrast = 0.4, '
            "noise = 0.1, mean = [] }"
        ),
    ],
)
def test_a_table_that_equals_a_named_recipe_is_that_recipe(table: str, write_study: WriteStudy) -> None:
    own = [trial.keys.trial_id for trial in expand(load_spec(str(write_study())).spec, None).trials]
    assert trial_ids(write_study, '"digits"') == own
    assert trial_ids(write_study, table) == own


def test_a_table_starts_from_the_recipe_of_the_data_set(write_study: WriteStudy) -> None:
    views = expanded(write_study, "{ flip_probability = 0.5 }").trials[0].config.task.views
    assert isinstance(views, ViewRecipe)
    assert views.crop_scale == VIEWS["digits"].crop_scale
    named = trial_ids(write_study, '{ base = "digits", flip_probability = 0.5 }')
    assert named == trial_ids(write_study, "{ flip_probability = 0.5 }")
    assert not set(named) & set(trial_ids(write_study, '"digits"'))


def test_the_table_may_have_a_header_of_its_own(write_study: WriteStudy) -> None:
    header = write_study(
        ("[encoder]", "[data.views]\nflip_probability = 0.5\n\n[encoder]"), name="other.toml"
    )
    ids = [trial.keys.trial_id for trial in expand(load_spec(str(header)).spec, None).trials]
    assert ids == trial_ids(write_study, "{ flip_probability = 0.5 }")


FAULTS = {
    "unknown field": (
        '{ base = "cifar", gray_probability = 0.1 }',
        "data.views.gray_probability: unknown key (did",
    ),
    "unknown base": (
        '{ base = "cifr" }',
        "data.views: got 'cifr' (did you mean cifar?); allowed are digits, cifar",
    ),
    "a number": ("5", "data.views: got 5, must be a text or a table"),
    "scale above 1": ("{ crop_scale = [0.2, 1.5] }", "data.views.crop_scale.1: got 1.5, must be at most 1"),
    "scale of 0": ("{ crop_scale = [0, 1] }", "data.views.crop_scale.0: got 0, must be above 0"),
    "low above high": (
        "{ crop_scale = [0.5, 0.2] }",
        "data.views.crop_scale: got [0.5, 0.2], must be the lowest number and then the highest",
    ),
    "one number": ("{ blur_sigma = [0.5] }", "data.views.blur_sigma: got [0.5], at least 2 is needed"),
    "three numbers": (
        "{ blur_sigma = [1, 2, 3] }",
        "data.views.blur_sigma: got 3 entries, at most 2 are allowed",
    ),
    "texts": ('{ crop_scale = ["0.2", 1] }', "data.views.crop_scale.0: got '0.2', must be a number"),
    "truth": ("{ crop_scale = [true, 1] }", "data.views.crop_scale.0: got True, must be a number"),
    "no list": (
        "{ crop_scale = 0.5 }",
        "data.views.crop_scale: got 0.5, must be a list of two numbers, the lowest first",
    ),
    "probability": ("{ flip_probability = 1.5 }", "data.views.flip_probability: got 1.5, must be at most 1"),
    "interpolation": (
        '{ interpolation = "nearest" }',
        "data.views.interpolation: got 'nearest', must be one of bicubic, bilinear",
    ),
    "mean alone": (
        "{ mean = [0.5] }",
        "data.views.mean: is given without deviation; normalisation needs both",
    ),
    "deviation of 0": (
        "{ mean = [0.5], deviation = [0] }",
        "data.views.deviation.0: got 0, must be at least 0.001",
    ),
    "channels": (
        "{ mean = [0.5, 0.5, 0.5], deviation = [0.2, 0.2, 0.2] }",
        "data.views.mean: got 3 numbers, must be one for each channel, and the images have 1",
    ),
    "hue of grey images": (
        '{ base = "cifar", hue = 0.2 }',
        "data.views.hue: got 0.2, must be 0 for the grey images of digits",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_recipe_is_one_line(fault: str, write_study: WriteStudy) -> None:
    views, said = FAULTS[fault]
    with pytest.raises(StudyError) as error:
        expanded(write_study, views)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_wrong_recipe_for_absent_data_is_told_too(write_study: WriteStudy) -> None:
    path = write_study((_DATA, 'name = "cifar10"\nviews = { mean = [0.5, 0.5, 0.5] }'))
    with pytest.raises(StudyError, match="mean: is given without deviation"):
        expand(load_spec(str(path)).spec, None)


def test_fields_of_a_step_that_never_runs_have_no_effect(write_study: WriteStudy) -> None:
    views = "{ blur_sigma = [0.1, 1], solarise_threshold = 0.3, solarise_probability = 0.1 }"
    spec = load_spec(str(write_study((_DATA, f"{_DATA}\nviews = {views}")))).spec
    assert keys_without_effect(spec, [trial.config.task for trial in expand(spec, None).trials]) == [
        "data.views.blur_sigma has no effect here, because it needs data.views.blur_probability above 0"
    ]


def test_views_that_the_mode_fused_cannot_make_are_told(write_study: WriteStudy) -> None:
    fused = ("[axes]", '[resources]\nexecution = "fused"\n[axes]')
    said = "resources.execution is fused, which cannot make these views: they are made as in eager"
    assert said in expand(load_spec(str(write_study(fused))).spec, None).task.notes  # grey digits
    assert said not in expand(load_spec(str(write_study())).spec, None).task.notes


def test_the_recipes_are_listed_with_their_fields() -> None:
    shown = " ".join(invoke("list", "views").output.split())
    for name, recipe in VIEWS.items():
        assert f"{name} {fields_text(recipe)}" in shown


def test_a_record_of_a_written_out_recipe_agrees_with_its_configuration(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    views = "{ flip_probability = 0.5, solarise_probability = 0.2, mean = [0.3], deviation = [0.4] }"
    record = run_trial(expanded(write_study, views).trials[0].config)
    assert record.status == "ok", record.error_traceback
    assert record.views == "digits with flip 0.5, solarise 0.2, mean 0.3, deviation 0.4"
    store = RecordStore(tmp_path / "store")
    store.put(record)
    found = check_store(store, None)
    assert found.contradictions == ()
    assert any(line.startswith("1 records: ids computed again") for line in found.checked)
