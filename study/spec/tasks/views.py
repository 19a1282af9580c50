"""The views of a study of task `images`: a named recipe, or a table of changes to one."""

from study.spec.schema import ViewsSection
from trainables.datasets.loaded import DatasetInfo
from trainables.views.recipes import COLOUR_FIELDS, ViewChoice, changed_recipe, check_views_name, recipe_of


def chosen_views(section: ViewsSection | None, own: str) -> ViewChoice:
    """The views of the study's trials, for data whose own recipe is `own`.

    Raises `ValueError` for an unknown name, and for fields that contradict each other.
    """
    base = check_views_name(own if section is None or section.base is None else section.base)
    try:
        return changed_recipe(base, section.changes if section else {})
    except ValueError as error:
        raise ValueError(f"data.views.{error}") from error


def check_views(section: ViewsSection | None, info: DatasetInfo) -> None:
    """Raise `ValueError` for views that do not suit the images of this data set."""
    views = chosen_views(section, info.views)
    given = section.changes if section else {}
    for name in COLOUR_FIELDS if info.channels == 1 else ():
        if value := given.get(name):
            raise ValueError(
                f"data.views.{name}: got {value:g}, must be 0 for the grey images of {info.name}"
            )
    try:
        recipe_of(views).check_channels(info.channels)
    except ValueError as error:
        raise ValueError(f"data.views.{error}") from error
