"""The views of colour images as one operator, used by training steps on CUDA.

The batched form of `Views` launches about 150 kernels a step. For small batches these launches take longer than the
arithmetic. The operator `trainables::views` is one kernel. Its definition is the batched form, which is also what it
computes on a CPU; on CUDA it computes the same up to rounding.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.views.batched import Views
from trainables.views.crop import ATTEMPTS
from trainables.views.recipes import FORMS, VIEWS, ViewRecipe

#: A program of the kernel holds whole images in its registers.
_LARGEST_SIZE = 32

_LIBRARY = torch.library.Library("trainables", "FRAGMENT")
_LIBRARY.define("views(Tensor images, Tensor uniform, int batch, float[] recipe, ScalarType dtype) -> Tensor")


def can_fuse(views: Views) -> bool:
    """Whether the kernel makes these views: small colour images, all four jitters, no blur, no noise."""
    recipe = views.recipe
    return (
        views.channels == 3
        and views.size <= _LARGEST_SIZE
        and views.output_size in (None, views.size)
        and views.form == FORMS[0]
        and recipe.hue > 0
        and not recipe.blur_probability
        and not recipe.noise
    )


def fused_views(
    views: Views, images: Tensor, generators: Sequence[torch.Generator], dtype: torch.dtype
) -> Tensor:
    """Two views of every image of every seed: `images (U, M, 3, H, H)` uint8 to `(U 2M, 3, H, H)`, channels last.

    The order is that of `Views.draw_stacked` for images that are repeated once: for each seed all first views, then
    all second views. `views` must satisfy `can_fuse`.
    """
    batch = images.shape[1]
    uniform = views.draw_uniform(2 * batch, generators, images.device)
    made: Tensor = torch.ops.trainables.views(
        images.flatten(0, 1), uniform, batch, recipe_numbers(views.recipe), dtype
    )
    return made


def recipe_numbers(recipe: ViewRecipe) -> list[float]:
    """The numbers of a recipe that the operator takes, in its order. Without normalisation, it has no numbers."""
    return [
        *recipe.crop_scale,
        *recipe.crop_ratio,
        recipe.flip_probability,
        recipe.jitter_probability,
        recipe.brightness,
        recipe.contrast,
        recipe.saturation,
        recipe.hue,
        recipe.grey_probability,
        recipe.solarise_probability,
        recipe.solarise_threshold,
        float(recipe.interpolation == "bilinear"),
        *recipe.mean,
        *recipe.deviation,
    ]


def deviation(device: str) -> float:
    """The largest difference between the operator and its definition on a device, in units of the pixel range."""
    views = Views(recipe=VIEWS["cifar"], channels=3, size=_LARGEST_SIZE)
    generator = torch.Generator().manual_seed(0)
    shape = (4, 3, _LARGEST_SIZE, _LARGEST_SIZE)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator).to(device)
    uniform = views.draw_uniform(2 * len(images), [generator], device)
    arguments = (images, uniform, len(images), recipe_numbers(views.recipe), torch.float32)
    made: Tensor = torch.ops.trainables.views(*arguments)
    return float((made - batched_form(*arguments)).abs().max())


def batched_form(
    images: Tensor, uniform: Tensor, batch: int, recipe: Sequence[float], dtype: torch.dtype
) -> Tensor:
    """The operator in terms of `Views`."""
    views = Views(
        recipe=ViewRecipe(
            crop_scale=(recipe[0], recipe[1]),
            crop_ratio=(recipe[2], recipe[3]),
            flip_probability=recipe[4],
            jitter_probability=recipe[5],
            brightness=recipe[6],
            contrast=recipe[7],
            saturation=recipe[8],
            hue=recipe[9],
            grey_probability=recipe[10],
            solarise_probability=recipe[11],
            solarise_threshold=recipe[12],
            interpolation="bilinear" if recipe[13] else "bicubic",
            mean=tuple(recipe[14:17]),
            deviation=tuple(recipe[17:20]),
        ),
        channels=3,
        size=images.shape[-1],
    )
    seeds = images.unflatten(0, (-1, batch))
    twice = torch.cat([seeds, seeds], dim=1).flatten(0, 1)
    made = views.apply(twice, views.parameters(uniform))
    return made.to(dtype, memory_format=torch.channels_last)


def kernel_form(
    images: Tensor, uniform: Tensor, batch: int, recipe: Sequence[float], dtype: torch.dtype
) -> Tensor:
    """The operator as one launch of the Triton kernel."""
    # Not at the top: Triton is not installed on every machine.
    from trainables.views.kernel import views_kernel

    (low_area, high_area, low_ratio, high_ratio), colours = recipe[:4], recipe[4:11]
    solarise_probability, solarise_threshold, bilinear, *normalisation = recipe[11:]
    size = images.shape[-1]
    views = torch.empty(
        (len(uniform), *images.shape[1:]),
        dtype=dtype,
        device=images.device,
        memory_format=torch.channels_last,
    )
    views_kernel[(len(uniform),)](
        images.contiguous(),
        uniform.contiguous(),
        views,
        batch,
        uniform.shape[1],
        size,
        low_area,
        high_area,
        math.log(low_ratio) / 2,
        math.log(high_ratio) / 2,
        *colours,
        solarise_probability,
        solarise_threshold,
        *(normalisation or [0.0] * 3 + [1.0] * 3),
        ATTEMPTS=ATTEMPTS,
        SOLARISE=solarise_probability > 0,
        BILINEAR=bool(bilinear),
        NORMALISE=bool(normalisation),
        BLOCK=max(16, 2 ** (size - 1).bit_length()),
        enable_fp_fusion=True,
    )
    return views


_LIBRARY.impl("views", batched_form, "CPU")
_LIBRARY.impl("views", kernel_form, "CUDA")
