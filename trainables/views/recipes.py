"""Recipes of views: their settings, those that have a name, and a text of each for records and reports.

Importing this module does not import torch, so a plan can check a recipe quickly.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainables.settings import declared_fields, setting
from trainables.suggestion import did_you_mean


def _range(default: tuple[float, float], doc: str, label: str, **bounds: Any) -> Any:
    """Two numbers, the lowest and the highest."""
    return setting(default, doc=doc, label=label, min_length=2, max_length=2, **bounds)


def _probability(doc: str, label: str) -> Any:
    return setting(0.0, doc=doc, label=label, ge=0, le=1)


def _jitter(doc: str, most: float = 1) -> Any:
    return setting(0.0, doc=doc, ge=0, le=most, needs={"jitter_probability": ()})


#: The settings of a recipe that are two numbers, the lowest first.
RANGES = ("crop_scale", "crop_ratio", "blur_sigma")


@dataclass(frozen=True, kw_only=True)
class ViewRecipe:
    """The settings of an augmentation. Its steps run in the order of the fields; the default values change nothing.

    Jitter strengths are defined as in torchvision: a factor is uniform in [1 - strength, 1 + strength], and a hue
    shift is uniform in [-hue, hue] turns of the colour circle. Each image has separate draws and a separate order of
    the four jitters. Normalisation applies to images without augmentation too. Raises `ValueError` for fields that
    contradict each other.
    """

    crop_scale: tuple[float, float] = _range(
        (1.0, 1.0), "Lowest and highest share of the image's area that a crop has.", "crop", gt=0, le=1
    )
    crop_ratio: tuple[float, float] = _range(
        (3 / 4, 4 / 3),
        "Lowest and highest width over height of a crop, uniform in the logarithm.",
        "crop ratio",
        ge=0.01,
        le=100,
    )
    interpolation: str = setting(
        "bicubic",
        doc="Interpolation of a resized crop, with antialiasing.",
        choices=("bicubic", "bilinear"),
    )
    flip_probability: float = _probability("Probability of a horizontal flip.", "flip")
    jitter_probability: float = _probability("Probability of all four jitters together.", "jitter")
    brightness: float = _jitter("Strength of the brightness jitter.")
    contrast: float = _jitter("Strength of the contrast jitter.")
    saturation: float = _jitter("Strength of the saturation jitter; colour images only.")
    hue: float = _jitter(
        "Strength of the hue jitter, in turns of the colour circle; colour images only.", 0.5
    )
    grey_probability: float = _probability("Probability of a grey view; colour images only.", "grey")
    blur_probability: float = _probability("Probability of Gaussian blur.", "blur")
    blur_sigma: tuple[float, float] = setting(
        (0.1, 2.0),
        doc="Lowest and highest width of the blur, in pixels.",
        label="blur width",
        needs={"blur_probability": ()},
        min_length=2,
        max_length=2,
        ge=0.01,
        le=100,
    )
    solarise_probability: float = _probability("Probability of solarisation.", "solarise")
    solarise_threshold: float = setting(
        0.5,
        doc="Pixel value from which solarisation inverts, as a share of the pixel range.",
        ge=0,
        le=1,
        needs={"solarise_probability": ()},
    )
    noise: float = setting(
        0.0, doc="Standard deviation of Gaussian noise, as a share of the pixel range.", ge=0, le=1
    )
    mean: tuple[float, ...] = setting(
        (),
        doc="Normalisation: the mean of each channel, as a share of the pixel range. It applies to images without "
        "augmentation too, as all probes see them.",
        max_length=3,
        ge=0,
        le=1,
    )
    deviation: tuple[float, ...] = setting(
        (), doc="Normalisation: the standard deviation of each channel.", max_length=3, ge=0.001, le=1000
    )

    def __post_init__(self) -> None:
        for name in RANGES:
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(
                    f"{name}: got [{low:g}, {high:g}], must be the lowest number and then the highest"
                )
        for one, other in (("mean", "deviation"), ("deviation", "mean")):
            if getattr(self, one) and not getattr(self, other):
                raise ValueError(f"{one}: is given without {other}; normalisation needs both")
        if len(self.mean) != len(self.deviation):
            raise ValueError(
                f"deviation: got {_counted(self.deviation)}, must be as many as mean has, {len(self.mean)}"
            )

    def check_channels(self, channels: int) -> None:
        """Raise `ValueError` if the normalisation is for another number of channels."""
        if self.mean and len(self.mean) != channels:
            raise ValueError(
                f"mean: got {_counted(self.mean)}, must be one for each channel, and the images have {channels}"
            )


#: Views of a task: the name of a recipe, or a recipe without a name.
ViewChoice = str | ViewRecipe

#: Forms of the colour operations: equal to torchvision's operations, or one affine map of the colours per image.
FORMS = ("faithful", "approximate")

#: Fields that only colour images have a use for.
COLOUR_FIELDS = ("saturation", "hue", "grey_probability")

#: Recipes by their name in study files.
VIEWS: dict[str, ViewRecipe] = {
    # Small handwritten digits. No flip, because a mirrored digit is a different character.
    "digits": ViewRecipe(
        crop_scale=(0.6, 1.0), jitter_probability=0.8, brightness=0.4, contrast=0.4, noise=0.1
    ),
    # SimCLR on CIFAR-10 (Chen et al. 2020, arXiv 2002.05709, appendices A and B.9): colour jitter of strength
    # 0.5, no blur; no normalisation by mean and deviation, as in simclr-pytorch.
    "cifar": ViewRecipe(
        crop_scale=(0.08, 1.0),
        flip_probability=0.5,
        jitter_probability=0.8,
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        hue=0.1,
        grey_probability=0.2,
    ),
    # SimCLR on ImageNet (the same paper, appendix A): colour jitter of strength 1, blur on half of the views.
    "imagenet": ViewRecipe(
        crop_scale=(0.08, 1.0),
        flip_probability=0.5,
        jitter_probability=0.8,
        brightness=0.8,
        contrast=0.8,
        saturation=0.8,
        hue=0.2,
        grey_probability=0.2,
        blur_probability=0.5,
    ),
    # No augmentation: to write a recipe out from the start.
    "none": ViewRecipe(),
}

#: Recipes that texts start from. Records keep these texts, so a recipe that is added later must not join them.
_TEXT_BASES = ("cifar", "imagenet", "digits", "none")


def check_views_name(name: str) -> str:
    """Return the name if a recipe has it. Otherwise raise `ValueError` with a list of the recipes."""
    if name not in VIEWS:
        raise ValueError(
            f"data.views: got {name!r}{did_you_mean(name, VIEWS)}; allowed are {', '.join(VIEWS)}"
        )
    return name


def recipe_of(views: ViewChoice) -> ViewRecipe:
    """The recipe that a task chooses. Raises `ValueError` for an unknown name."""
    return VIEWS[check_views_name(views)] if isinstance(views, str) else views


def changed_recipe(base: str, changes: Mapping[str, Any]) -> ViewChoice:
    """The named recipe with changed fields. It is a name where a named recipe has the same fields.

    Raises `ValueError` for an unknown name, and for fields that contradict each other.
    """
    recipe = dataclasses.replace(VIEWS[check_views_name(base)], **changes)
    return next((name for name, each in VIEWS.items() if each == recipe), recipe)


def recipe_text(views: ViewChoice | Mapping[str, Any]) -> str:
    """Views as records and reports show them, also from their canonical form.

    It is the name, or the fields that differ from the most similar named recipe.

    >>> recipe_text(changed_recipe("cifar", {"crop_scale": (0.2, 1.0), "grey_probability": 0.1}))
    'cifar with crop 0.2 to 1, grey 0.1'
    """
    if not isinstance(views, ViewRecipe | Mapping):
        return str(views)
    base = min(_TEXT_BASES, key=lambda name: len(_changes(views, VIEWS[name])))
    words = _words(_changes(views, VIEWS[base]))
    if VIEWS[base] == ViewRecipe():
        return words or base
    return f"{base} with {words}" if words else base


def fields_text(recipe: ViewRecipe) -> str:
    """The fields of a recipe that change something, such as "crop 0.6 to 1, flip 0.5"."""
    return _words(_changes(recipe, ViewRecipe())) or "images without a change"


def _changes(views: ViewRecipe | Mapping[str, Any], base: ViewRecipe) -> dict[str, Any]:
    """The fields with another value than in `base`."""
    before = _values(base)
    return {key: value for key, value in _values(views).items() if before.get(key) != value}


def _values(views: ViewRecipe | Mapping[str, Any]) -> dict[str, Any]:
    """The values of all fields, and of fields that only newer versions have."""
    given = dict(vars(ViewRecipe())) | dict(vars(views) if isinstance(views, ViewRecipe) else views)
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}


def _words(values: Mapping[str, Any]) -> str:
    labels = {each.name: each.label for each in declared_fields(ViewRecipe)}
    return ", ".join(f"{labels.get(key, key)} {_value_text(value)}" for key, value in values.items())


def _value_text(value: Any) -> str:
    if isinstance(value, tuple):
        return (" to " if len(value) == 2 else " ").join(map(_value_text, value)) or "off"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _counted(numbers: tuple[float, ...]) -> str:
    return "1 number" if len(numbers) == 1 else f"{len(numbers)} numbers"


#: The fields that are part of `crops_and_flips`: the geometry, and the normalisation that plain images have too.
_GEOMETRY = ("crop_scale", "crop_ratio", "interpolation", "flip_probability", "mean", "deviation")


def crops_and_flips(recipe: ViewRecipe) -> ViewRecipe:
    """The recipe without its changes of colour, blur and noise."""
    return ViewRecipe(**{name: getattr(recipe, name) for name in _GEOMETRY})
