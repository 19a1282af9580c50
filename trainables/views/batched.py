"""Views as batched tensor operations: parameters are drawn for every image, then applied to all at once."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainables.views.blur import Blur, apply_blur
from trainables.views.catalogue import ViewRecipe, plain
from trainables.views.colour import Jitter, apply_grey, apply_jitter
from trainables.views.crop import DRAWS, Boxes, boxes_from, crop_and_resize

#: Values of a block of images that a CPU works on at once; chosen by measuring.
_BLOCK_PIXELS = 32 * 3 * 32 * 32


@dataclass(frozen=True, kw_only=True)
class ViewParameters:
    """Random parameters of one view of each of M images."""

    boxes: Boxes
    flip: Tensor  # (M,) bool
    jitter: Jitter
    grey: Tensor  # (M,) bool
    blur: Blur | None
    noise: Tensor | None  # (M, C, H, W), in units of the pixel range


@dataclass(frozen=True, kw_only=True)
class Views:
    """One random view of each image: `views(images (M, C, H, W) uint8, generator) -> float32` in [0, 1].

    All randomness comes from `generator`, whose device may differ from the images'. Raises `ValueError` for
    channels other than 1 or 3.
    """

    recipe: ViewRecipe
    channels: int
    size: int

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels: got {self.channels}; allowed are 1 (grey) and 3 (colour)")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        return self.apply(images, self.draw(len(images), generator, images.device))

    def draw(
        self, count: int, generator: torch.Generator, device: torch.device | str = "cpu"
    ) -> ViewParameters:
        """Parameters for `count` images, on `device`."""
        recipe, drawn_on = self.recipe, generator.device
        # One call for all uniform draws: the number of calls, not their size, sets the pace on small images.
        uniform = torch.rand(count, DRAWS + 7 + 4, generator=generator, device=drawn_on).to(device)
        crop, flip, applied, strengths, order, to_grey = uniform.split([DRAWS, 1, 1, 4, 4, 1], dim=1)
        blur, noise = None, None
        if recipe.blur_probability:
            chosen, width = torch.rand(2, count, generator=generator, device=drawn_on).to(device)
            low, high = recipe.blur_sigma
            blur = Blur(sigma=low + (high - low) * width, chosen=chosen < recipe.blur_probability)
        if recipe.noise:
            shape = (count, self.channels, self.size, self.size)
            noise = recipe.noise * torch.randn(shape, generator=generator, device=drawn_on).to(device)
        return ViewParameters(
            boxes=boxes_from(crop, self.size, recipe.crop_scale, recipe.crop_ratio),
            flip=flip[:, 0] < recipe.flip_probability,
            jitter=self._jitter(strengths, order, applied < recipe.jitter_probability),
            grey=to_grey[:, 0] < recipe.grey_probability,
            blur=blur,
            noise=noise,
        )

    def apply(self, images: Tensor, parameters: ViewParameters) -> Tensor:
        """The views of `images (M, C, H, W)` uint8 under given parameters, float32 in [0, 1].

        Raises `ValueError` for images of another shape than these views are for.
        """
        shape = (self.channels, self.size, self.size)
        if tuple(images.shape[1:]) != shape:
            raise ValueError(
                f"images: got shape {tuple(images.shape)}; allowed is (M, {', '.join(map(str, shape))})"
            )
        block = _block_length(images)
        if len(images) <= block:
            return self._apply(images, parameters)
        starts = range(0, len(images), block)
        rows = [slice(start, start + block) for start in starts]
        return torch.cat([self._apply(images[part], _rows(parameters, part)) for part in rows])

    def _apply(self, images: Tensor, parameters: ViewParameters) -> Tensor:
        views = crop_and_resize(plain(images), parameters.boxes, parameters.flip)
        if self.recipe.jitter_probability:
            views = apply_jitter(views, parameters.jitter)
        if self.recipe.grey_probability and self.channels == 3:
            views = apply_grey(views, parameters.grey)
        if parameters.blur is not None:
            views = apply_blur(views, parameters.blur)
        if parameters.noise is not None:
            views = (views + parameters.noise).clamp_(0, 1)
        return views

    def _jitter(self, strengths: Tensor, order: Tensor, applied: Tensor) -> Jitter:
        recipe = self.recipe
        spread = strengths.new_tensor([recipe.brightness, recipe.contrast, recipe.saturation, recipe.hue])
        shift = (2 * strengths - 1) * spread * applied
        return Jitter(
            brightness=1 + shift[:, 0],
            contrast=1 + shift[:, 1],
            saturation=1 + shift[:, 2],
            hue=shift[:, 3],
            order=order.argsort(dim=1),
        )


def _block_length(images: Tensor) -> int:
    """Images worked on at once: on a CPU as many as stay in its second-level cache, which halves the time."""
    return max(1, _BLOCK_PIXELS // images[0].numel()) if images.device.type == "cpu" else len(images)


def _rows(value: Any, rows: slice) -> Any:
    """The same parameters for a part of the images."""
    if isinstance(value, Tensor):
        return value[rows]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {spec.name: _rows(getattr(value, spec.name), rows) for spec in dataclasses.fields(value)}
        return dataclasses.replace(value, **parts)
    return value
