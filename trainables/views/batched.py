"""Random views as batched tensor operations, used by training and evaluation.

`Views` first draws parameters for every image, and then applies them to all images in one batch.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.views.affine import recolour
from trainables.views.blur import Blur, apply_blur
from trainables.views.colour import HUE, Jitter, grey_where_, jitter_, solarise_where
from trainables.views.crop import DRAWS, boxes_from, crop_and_resize
from trainables.views.parameters import ViewParameters, split_parameters
from trainables.views.recipes import FORMS, ViewChoice, ViewRecipe, recipe_of

#: Number of pixel values in a block of images that a CPU processes at once; chosen by measurement.
_BLOCK_PIXELS = 128 * 3 * 32 * 32


@dataclass(frozen=True, kw_only=True)
class Views:
    """One random view of each image: `views(images (M, C, H, H) uint8, generator) -> float32`.

    The pixel range is [0, 1], before the recipe's normalisation.

    The views have the shape (M, C, output, output); with `output_size` None, they have the size of the images. `form`
    selects the colour operations. `faithful` equals torchvision's operations on float images. `approximate` is one
    affine map of the colours per image; `trainables.views.affine` states its deviation. Both forms use the same
    parameters and the same crops.

    All random numbers come from `generator`, which may be on another device than the images. With a generator on
    the images' CUDA device, neither `draw` nor `apply` waits for the device, and after a first call both can be
    captured in a CUDA graph. Matrix products follow the global precision setting; TF32 changes them by a tenth of a
    grey level.

    Raises `ValueError` for channels other than 1 or 3, a normalisation for another number of channels, an unknown
    form, or an output size below 1.
    """

    recipe: ViewRecipe
    channels: int
    size: int
    form: str = "faithful"
    output_size: int | None = None

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels: got {self.channels}; allowed are 1 (grey) and 3 (colour)")
        if self.form not in FORMS:
            raise ValueError(f"form: got {self.form!r}; allowed are {', '.join(FORMS)}")
        if self.output_size is not None and self.output_size < 1:
            raise ValueError(f"output_size: got {self.output_size}; allowed is None or at least 1")
        self.recipe.check_channels(self.channels)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        return self.apply(images, self.draw(len(images), generator, images.device))

    def plain(self, images: Tensor) -> Tensor:
        """Images for evaluation, without augmentation: uint8 `(N, C, H, W)` to normalised float32 of that shape."""
        return self.normalised(_scaled(images))

    def draw(
        self, count: int, generator: torch.Generator, device: torch.device | str = "cpu"
    ) -> ViewParameters:
        """Draw the parameters for `count` images, on `device`."""
        return self.draw_stacked(count, [generator], device)

    def draw_stacked(
        self, count: int, generators: Sequence[torch.Generator], device: torch.device | str = "cpu"
    ) -> ViewParameters:
        """Draw the parameters for `count` images from each generator, in the order of the generators.

        The result equals, bit for bit, one `draw` for each generator, concatenated. It costs as much as one `draw`.
        """
        uniform = self.draw_uniform(count, generators, device)
        return self.parameters(uniform, self._noise(count, generators, device))

    def draw_uniform(
        self, count: int, generators: Sequence[torch.Generator], device: torch.device | str
    ) -> Tensor:
        """The uniform numbers of `count` images from each generator, one row for each image."""
        # One call for all uniform draws: for small images, the number of calls determines the time, not their size.
        return _from_each(torch.rand, (count, sum(self._columns())), generators, device)

    def parameters(self, uniform: Tensor, noise: Tensor | None = None) -> ViewParameters:
        """The parameters that rows of `draw_uniform` stand for."""
        recipe = self.recipe
        crop, flip, applied, strengths, order, to_grey, blurred, width, *more = uniform.split(
            self._columns(), dim=1
        )
        return ViewParameters(
            boxes=boxes_from(crop, self.size, recipe.crop_scale, recipe.crop_ratio),
            flip=flip[:, 0] < recipe.flip_probability,
            jitter=self._jitter(strengths, order, applied < recipe.jitter_probability),
            grey=to_grey[:, 0] < recipe.grey_probability,
            blur=self._blur(blurred[:, 0], width[:, 0]),
            solarise=more[0][:, 0] < recipe.solarise_probability if more else None,
            noise=noise,
        )

    def apply(self, images: Tensor, parameters: ViewParameters) -> Tensor:
        """The views of `images (M, C, H, H)` uint8 for given parameters, float32.

        Each view depends only on its own image and parameters, not on the rest of the batch. This holds bit for bit
        on a CPU at sizes that are multiples of 8, and up to rounding otherwise. Raises `ValueError` for images whose
        shape is not that of these views.
        """
        shape = (self.channels, self.size, self.size)
        if tuple(images.shape[1:]) != shape:
            raise ValueError(
                f"images: got shape {tuple(images.shape)}; allowed is (M, {', '.join(map(str, shape))})"
            )
        output = self.output_size or self.size
        views = torch.empty(len(images), self.channels, output, output, device=images.device)
        block = _block_length(images)
        if len(images) <= block:
            return self._apply(images, parameters, views)
        blocks = zip(
            images.split(block), split_parameters(parameters, block), views.split(block), strict=True
        )
        for part in blocks:
            self._apply(*part)
        return views

    def _apply(self, images: Tensor, parameters: ViewParameters, views: Tensor) -> Tensor:
        recipe = self.recipe
        planes = crop_and_resize(
            _scaled(images), parameters.boxes, parameters.flip, self.output_size, recipe.interpolation
        )
        views.copy_(self._recolour(planes.flatten(2), parameters).view_as(planes).transpose(0, 1))
        if parameters.blur is not None:
            views.copy_(apply_blur(views, parameters.blur))
        if parameters.solarise is not None:
            views.copy_(solarise_where(views, parameters.solarise, recipe.solarise_threshold))
        if parameters.noise is not None:
            views.add_(parameters.noise).clamp_(0, 1)
        return self.normalised(views)

    def normalised(self, images: Tensor) -> Tensor:
        """Normalise float images (M, C, H, W) in place, if the recipe does."""
        if not self.recipe.mean:
            return images
        mean, deviation = _normalisation(self.recipe, images.device)
        return images.sub_(mean).div_(deviation)

    def _recolour(self, planes: Tensor, parameters: ViewParameters) -> Tensor:
        if self.form == "approximate":
            return recolour(planes, parameters.jitter, parameters.grey)
        planes = jitter_(planes, parameters.jitter)
        if self.recipe.grey_probability and self.channels == 3:
            planes = grey_where_(planes, parameters.grey)
        return planes

    def _columns(self) -> list[int]:
        """Numbers of draws for each image: crop, flip, jitter or not, strengths, order, grey, blur or not, width.

        Recipes with solarisation have one more. Without it, they have the numbers that they had before it existed.
        """
        solarise = [1] if self.recipe.solarise_probability else []
        return [DRAWS, 1, 1, 4, self._operations(), 1, 1, 1, *solarise]

    def _operations(self) -> int:
        """How many of brightness, contrast, saturation and hue, counted in this order, the recipe needs."""
        recipe = self.recipe
        spread = [recipe.brightness, recipe.contrast, recipe.saturation, recipe.hue]
        usable = spread[: HUE + 1 if self.channels == 3 else 2]
        return max((k + 1 for k, strength in enumerate(usable) if strength), default=0)

    def _jitter(self, strengths: Tensor, order: Tensor, applied: Tensor) -> Jitter:
        neutral, spread = _jitter_range(self.recipe, strengths.device)
        amounts = torch.addcmul(neutral, (2 * strengths - 1).mul_(applied), spread)
        return Jitter(amounts=amounts, order=order.argsort(dim=1))

    def _blur(self, blurred: Tensor, width: Tensor) -> Blur | None:
        if not self.recipe.blur_probability:
            return None
        low, high = self.recipe.blur_sigma
        return Blur(sigma=low + (high - low) * width, chosen=blurred < self.recipe.blur_probability)

    def _noise(
        self, count: int, generators: Sequence[torch.Generator], device: torch.device | str
    ) -> Tensor | None:
        if not self.recipe.noise:
            return None
        output = self.output_size or self.size
        shape = (count, self.channels, output, output)
        return _from_each(torch.randn, shape, generators, device).mul_(self.recipe.noise)


@functools.cache  # without a limit: a captured graph reads the tensors at their addresses
def _jitter_range(recipe: ViewRecipe, device: torch.device) -> tuple[Tensor, Tensor]:
    """Neutral amounts of the four jitters, and their ranges. Cached, because the copy to a GPU makes it wait."""
    spread = [recipe.brightness, recipe.contrast, recipe.saturation, recipe.hue]
    return torch.tensor([1.0, 1.0, 1.0, 0.0], device=device), torch.tensor(spread, device=device)


@functools.cache  # without a limit, and for the same reason
def _normalisation(recipe: ViewRecipe, device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel, (C, 1, 1)."""
    mean, deviation = (
        torch.tensor(numbers, device=device)[:, None, None] for numbers in (recipe.mean, recipe.deviation)
    )
    return mean, deviation


def build_views(
    recipe: ViewChoice, *, channels: int, size: int, form: str = "faithful", output_size: int | None = None
) -> Views:
    """The views of a recipe, or of its name, for images of shape (C, size, size), in one of the `FORMS`.

    The side of the views is `output_size` pixels, or `size` with None. Raises `ValueError` as `Views` does, and for
    an unknown name.
    """
    return Views(
        recipe=recipe_of(recipe),
        channels=channels,
        size=size,
        form=form,
        output_size=output_size,
    )


def _scaled(images: Tensor) -> Tensor:
    """Convert uint8 images to float32 in [0, 1]."""
    return images.float().div_(255)


def _from_each(
    draw: Callable[..., Tensor],
    shape: tuple[int, ...],
    generators: Sequence[torch.Generator],
    device: torch.device | str,
) -> Tensor:
    parts = [draw(shape, generator=generator, device=generator.device) for generator in generators]
    return (parts[0] if len(parts) == 1 else torch.cat(parts)).to(device)


def _block_length(images: Tensor) -> int:
    """Images per block. On a CPU, a block fits in the second-level cache, which halves the time."""
    return max(1, _BLOCK_PIXELS // images[0].numel()) if images.device.type == "cpu" else len(images)
