"""The random parameters of views, with a function to split them; used by `Views`."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from trainables.views.blur import Blur
from trainables.views.colour import Jitter
from trainables.views.crop import Boxes


@dataclass(frozen=True, kw_only=True)
class ViewParameters:
    """Random parameters of one view of each of M images. The first axis of every tensor has length M."""

    boxes: Boxes
    flip: Tensor  # (M,) bool
    jitter: Jitter
    grey: Tensor  # (M,) bool
    blur: Blur | None
    solarise: Tensor | None  # (M,) bool
    noise: Tensor | None  # (M, C, H, W), in units of the pixel range


def split_parameters(whole: ViewParameters, length: int) -> list[ViewParameters]:
    """Split the parameters into parts of `length` images each. The last part may be shorter."""
    return _split(whole, length, -(-len(whole.flip) // length))


def _split(whole: Any, length: int, count: int) -> list[Any]:
    if isinstance(whole, Tensor):
        return list(whole.split(length))
    if whole is None:
        return [None] * count
    names = [spec.name for spec in dataclasses.fields(whole)]
    columns = [_split(getattr(whole, name), length, count) for name in names]
    return [type(whole)(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
