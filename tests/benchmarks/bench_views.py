"""Speed of the views on one thread: `python -m tests.benchmarks.bench_views` (under `taskset -c 0` for one core).

Crop, flip, jitter and grey (the recipe `cifar`) against the usual Pillow pipeline, side by side in one run; the
time of one call on a small batch; and how far the approximate form is from the faithful one under the same
parameters, on scikit-learn's two photographs.
"""

import argparse

import torch
from torch import Tensor

from tests.benchmarks.pil_views import as_pil, pil_batch, pil_views
from tests.benchmarks.timing import Call, seconds_each
from tests.trainables.views.examples import natural_images, some_images
from trainables.views.batched import build_views
from trainables.views.recipes import FORMS, VIEWS

_COUNT = 512
_SMALL_COUNT = 32


def print_rates(sizes: list[int], device: str, budget: float) -> None:
    """Views a second of both forms and of the Pillow pipeline (always on the CPU), and the ratios."""
    print(f"\nviews a second, {_COUNT} colour images a call, {device}, recipe cifar")
    print("size |     PIL | faithful | times | approximate | times")
    for size in sizes:
        images = some_images(_COUNT, 3, size)
        calls = [_call("cifar", images, form, device) for form in FORMS]
        one_by_one, view = as_pil(images), pil_views(VIEWS["cifar"], size)
        calls.append(lambda one_by_one=one_by_one, view=view: pil_batch(one_by_one, view))
        faithful, approximate, pil = (_COUNT / seconds for seconds in seconds_each(calls, budget=budget))
        print(
            f"{size:4} | {pil:7,.0f} | {faithful:8,.0f} | {faithful / pil:5.1f} "
            f"| {approximate:11,.0f} | {approximate / pil:5.1f}"
        )


def print_small_calls(device: str, budget: float) -> None:
    """What one call costs where overheads set the pace: both views of 16 small images."""
    print(f"\nmicroseconds a call, {_SMALL_COUNT} views of 8x8, {device}")
    for recipe, channels in (("digits", 1), ("cifar", 3)):
        images = some_images(_SMALL_COUNT, channels, 8)
        times = seconds_each([_call(recipe, images, form, device) for form in FORMS], budget=budget)
        row = ", ".join(f"{form} {1e6 * seconds:.0f}" for form, seconds in zip(FORMS, times, strict=True))
        print(f"{recipe}: {row}")


def print_deviation() -> None:
    """Absolute difference of the forms in grey levels of 255."""
    images = natural_images()
    print(
        f"\napproximate against faithful, {len(images)} patches of 32x32, grey levels: mean, 95th percentile"
    )
    for recipe in ("cifar", "imagenet"):
        faithful, approximate = (build_views(recipe, channels=3, size=32, form=form) for form in FORMS)
        given = faithful.draw(len(images), torch.Generator().manual_seed(0))
        levels = 255 * (faithful.apply(images, given) - approximate.apply(images, given)).abs().flatten()
        print(f"{recipe}: {levels.mean():.1f}, {levels.sort().values[int(0.95 * len(levels))]:.1f}")


def _call(recipe: str, images: Tensor, form: str, device: str) -> Call:
    images = images.to(device)
    views = build_views(recipe, channels=images.shape[1], size=images.shape[2], form=form)
    generator = torch.Generator(device).manual_seed(0)
    return lambda: views(images, generator)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 16, 8])
    parser.add_argument("--budget", type=float, default=5.0, help="seconds a table row")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print_rates(options.sizes, options.device, options.budget)
    print_small_calls(options.device, options.budget)
    print_deviation()


if __name__ == "__main__":
    main()
