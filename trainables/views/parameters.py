"""The random parameters of views, with functions to concatenate and to split them; used by `Views`."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
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
    noise: Tensor | None  # (M, C, H, W), in units of the pixel range


def concatenate_parameters(parts: Sequence[ViewParameters]) -> ViewParameters:
    """Concatenate the parameters of all parts in order, such as parts from different generators.

    Raises `ValueError` without parts, and for parts of different recipes (one with blur and one without).
    """
    if not parts:
        raise ValueError("parts: got none; allowed is at least one")
    return _concatenate(parts)


def split_parameters(whole: ViewParameters, length: int) -> list[ViewParameters]:
    """Split the parameters into parts of `length` images each. The last part may be shorter."""
    return _split(whole, length, -(-len(whole.flip) // length))


def _concatenate(parts: Sequence[Any]) -> Any:
    kinds = {type(part) for part in parts}
    if len(kinds) > 1:
        raise ValueError(
            f"parts: got {' and '.join(sorted(k.__name__ for k in kinds))}; allowed is one recipe"
        )
    if isinstance(parts[0], Tensor):
        return torch.cat(list(parts))
    if parts[0] is None:
        return None
    names = [spec.name for spec in dataclasses.fields(parts[0])]
    return type(parts[0])(**{name: _concatenate([getattr(part, name) for part in parts]) for name in names})


def _split(whole: Any, length: int, count: int) -> list[Any]:
    if isinstance(whole, Tensor):
        return list(whole.split(length))
    if whole is None:
        return [None] * count
    names = [spec.name for spec in dataclasses.fields(whole)]
    columns = [_split(getattr(whole, name), length, count) for name in names]
    return [type(whole)(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
