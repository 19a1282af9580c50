"""Augmentation recipes by name. Importing this module costs no torch, so that a plan can check a name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.suggestion import did_you_mean

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class ViewRecipe:
    """The numbers of an augmentation, applied in the order of the fields; the defaults change nothing.

    Jitter strengths are torchvision's: a factor is uniform in [1 - strength, 1 + strength], a hue shift
    uniform in [-hue, hue] turns of the colour circle. Each image has its own draws and its own order of the
    four jitters.
    """

    crop_scale: tuple[float, float] = (1.0, 1.0)  # share of the image's area
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)  # width over height, uniform in the logarithm
    flip_probability: float = 0.0
    jitter_probability: float = 0.0  # of all four jitters together
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0  # colour images only, as are hue and grey
    hue: float = 0.0
    grey_probability: float = 0.0
    blur_probability: float = 0.0
    blur_sigma: tuple[float, float] = (0.1, 2.0)  # pixels
    noise: float = 0.0  # standard deviation of Gaussian noise, in units of the pixel range


#: Forms of the colour operations: as torchvision computes them, and one affine map of colours an image.
FORMS = ("faithful", "approximate")

#: Recipes by the name that study files use.
VIEWS: dict[str, ViewRecipe] = {
    # Small handwritten digits: no flip, since a mirrored digit is another sign.
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
}


def check_views_name(name: str) -> str:
    """The name, when a recipe has it. Raises `ValueError` listing the recipes otherwise."""
    if name not in VIEWS:
        raise ValueError(f"views: got {name!r}{did_you_mean(name, VIEWS)}; allowed are {', '.join(VIEWS)}")
    return name


def plain(images: "Tensor") -> "Tensor":
    """Images for evaluation: uint8 (N, C, H, W) to float32 in [0, 1], nothing else."""
    return images.float().div_(255)
