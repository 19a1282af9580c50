"""Recipes of views: what a table of changes gives, what is refused, and the text of each recipe."""

import dataclasses
import doctest
from typing import Any

import pytest

from tests.trainables.canonical import from_canonical
from tests.trainables.tiny_trial import example
from tests.trainables.views.examples import WRITTEN_OUT
from trainables.config import (
    ImagesTask,
    Provenance,
    TrialConfig,
    canonical,
    canonical_json,
    task_columns,
    trial_keys,
)
from trainables.settings import declared_fields
from trainables.views import recipes
from trainables.views.recipes import VIEWS, ViewChoice, ViewRecipe, changed_recipe, fields_text, recipe_text

#: The views of dkobak/simclr-cifar10.
PUBLISHED = changed_recipe("cifar", {"crop_scale": (0.2, 1.0), "grey_probability": 0.1})


def with_views(views: ViewChoice) -> TrialConfig:
    return dataclasses.replace(example(), task=dataclasses.replace(example().task, views=views))


def trial_id(views: ViewChoice) -> str:
    return trial_keys(with_views(views), Provenance()).trial_id


def test_a_table_changes_the_fields_that_it_gives() -> None:
    assert isinstance(PUBLISHED, ViewRecipe)
    assert dataclasses.replace(VIEWS["cifar"], crop_scale=(0.2, 1.0), grey_probability=0.1) == PUBLISHED


@pytest.mark.parametrize("name", VIEWS)
def test_the_fields_of_a_named_recipe_are_that_recipe(name: str) -> None:
    for base in VIEWS:
        assert changed_recipe(base, vars(VIEWS[name])) == name
    assert trial_id(changed_recipe("none", vars(VIEWS[name]))) == trial_id(name)


def test_the_canonical_form_has_the_fields_that_change_something() -> None:
    assert canonical(with_views(PUBLISHED))["task"]["views"] == {
        "crop_scale": [0.2, 1],
        "flip_probability": 0.5,
        "jitter_probability": 0.8,
        "brightness": 0.4,
        "contrast": 0.4,
        "saturation": 0.4,
        "hue": 0.1,
        "grey_probability": 0.1,
    }
    assert canonical(with_views("cifar"))["task"]["views"] == "cifar"
    assert trial_id(PUBLISHED) != trial_id("cifar")


@pytest.mark.parametrize("views", ["cifar", PUBLISHED, WRITTEN_OUT])
def test_views_read_back_from_their_canonical_form(views: ViewChoice) -> None:
    assert from_canonical(canonical_json(with_views(views))) == with_views(views)


def test_every_field_of_a_recipe_is_declared_with_its_bounds() -> None:
    declared = {each.name: each.setting for each in declared_fields(ViewRecipe)}
    assert list(declared) == [spec.name for spec in dataclasses.fields(ViewRecipe)]
    assert all(each.doc and (each.bounds or each.choices) for each in declared.values())
    assert {needed for each in declared.values() for needed in each.needs} <= set(declared)


@pytest.mark.parametrize(
    ("views", "text"),
    [
        ("cifar", "cifar"),
        (PUBLISHED, "cifar with crop 0.2 to 1, grey 0.1"),
        (
            changed_recipe("imagenet", {"solarise_probability": 0.2, "mean": (0.5,), "deviation": (0.25,)}),
            "imagenet with solarise 0.2, mean 0.5, deviation 0.25",
        ),
        (
            ViewRecipe(crop_scale=(0.5, 1.0), interpolation="bilinear"),
            "crop 0.5 to 1, interpolation bilinear",
        ),
        (ViewRecipe(), "none"),
        (
            WRITTEN_OUT,
            (
                "cifar with crop 0.2 to 1, interpolation bilinear, saturation 0.2, blur 0.5, solarise 0.3, "
                "noise 0.05, mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225"
            ),
        ),
    ],
)
def test_the_text_of_a_recipe_never_changes(views: ViewChoice, text: str) -> None:
    """Records keep it. It is the same for the canonical form, from which stores and bundles are checked."""
    assert recipe_text(views) == text
    assert recipe_text(canonical(views)) == text
    assert task_columns(with_views(views).task)["views"] == text


def test_what_a_newer_version_or_a_stranger_wrote_has_a_text_too() -> None:
    assert recipe_text({**canonical(VIEWS["cifar"]), "cut_out": 0.5}) == "cifar with cut_out 0.5"
    assert recipe_text(5) == "5"  # type: ignore[arg-type]
    assert recipe_text({"mean": {"red": None}}) == "mean {'red': None}"
    assert recipe_text({"noise": 10**400}).startswith("noise 1000")


def test_a_list_of_fields_leaves_out_what_changes_nothing() -> None:
    assert (
        fields_text(VIEWS["digits"]) == "crop 0.6 to 1, jitter 0.8, brightness 0.4, contrast 0.4, noise 0.1"
    )
    assert fields_text(ViewRecipe()) == "images without a change"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"crop_scale": (0.5, 0.2)},
            r"crop_scale: got \[0.5, 0.2\], must be the lowest number and then the highest",
        ),
        ({"crop_ratio": (2.0, 1.0)}, r"crop_ratio: got \[2, 1\]"),
        ({"blur_sigma": (2.0, 0.1)}, r"blur_sigma: got \[2, 0.1\]"),
        ({"mean": (0.5,)}, "mean: is given without deviation; normalisation needs both"),
        ({"deviation": (0.5,)}, "deviation: is given without mean"),
        (
            {"mean": (0.5,), "deviation": (1, 1, 1)},
            "deviation: got 3 numbers, must be as many as mean has, 1",
        ),
    ],
)
def test_fields_that_contradict_each_other_are_refused(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        changed_recipe("cifar", changes)


def test_the_declaration_of_views_makes_their_text() -> None:
    (declared,) = (each for each in declared_fields(ImagesTask) if each.name == "views")
    assert declared.shown(PUBLISHED) == recipe_text(PUBLISHED)


def test_the_example_of_the_docstring_holds() -> None:
    found = doctest.testmod(recipes)
    assert (found.attempted > 0, found.failed) == (True, 0)
