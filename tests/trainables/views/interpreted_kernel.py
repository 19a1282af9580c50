"""Compares the kernel of the views, run by Triton's interpreter on the CPU, with the batched form."""

import torch

from tests.trainables.views.examples import FUSED, some_images
from trainables.views.batched import Views, build_views
from trainables.views.fused import batched_form, kernel_form, recipe_numbers
from trainables.views.recipes import ViewRecipe

#: A recipe whose boxes often do not fit at the first attempts.
NARROW = ViewRecipe(
    crop_scale=(0.7, 1.0), crop_ratio=(0.3, 3.0), jitter_probability=1.0, saturation=0.9, hue=0.5
)


def main() -> None:
    """Raise `AssertionError` if a view differs by more than rounding."""
    cifar = build_views("cifar", channels=3, size=32)
    others = [Views(recipe=recipe, channels=3, size=12) for recipe in (NARROW, FUSED)]
    for views in (cifar, *others):
        images = some_images(8, 3, views.size)
        uniform = views.draw_uniform(8, [torch.Generator().manual_seed(seed) for seed in (0, 1)], "cpu")
        arguments = (images, uniform, 4, recipe_numbers(views.recipe))
        found, expected = kernel_form(*arguments, torch.float32), batched_form(*arguments, torch.float32)
        assert found.stride() == expected.stride()
        spread = max(1 / each for each in views.recipe.deviation or (1.0,))
        torch.testing.assert_close(found, expected, atol=5e-6 * spread, rtol=0)
        halved = kernel_form(*arguments, torch.bfloat16)
        torch.testing.assert_close(halved.float(), expected, atol=4e-3 * spread, rtol=0)


if __name__ == "__main__":
    main()
