"""The views of colour images as one C function, for training steps on a CPU with the execution mode `fused`.

The batched form of `Views` makes some 300 passes over a block of images. This function makes one view after another.
It uses the parameters of the batched form, and differs from it by rounding. Each machine compiles it once, in about a
second, and keeps it in the cache directory.
"""

import ctypes
import functools
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from trainables.atomic import replace_file
from trainables.datasets.cache_root import cache_root
from trainables.machine import processor_name
from trainables.views.batched import Views
from trainables.views.colour import solarise_where
from trainables.views.crop import weights_table
from trainables.views.fused import can_fuse

_SOURCE = Path(__file__).with_suffix(".c")

_FLAGS = ("-O3", "-march=native", "-std=c11", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared")


class NoCompilerError(RuntimeError):
    """The C function cannot be compiled on this machine."""


def views_on_cpu(
    views: Views, images: Tensor, generators: Sequence[torch.Generator], dtype: torch.dtype
) -> Tensor:
    """Two views of every image of every seed: `images (U, M, 3, H, H)` uint8 to `(U 2M, 3, H, H)`.

    The order is that of `trainables.views.fused.fused_views`, and the result is channels last. `views` must satisfy
    `can_fuse`, or this raises `ValueError`. Raises `NoCompilerError` if the function cannot be compiled here.
    """
    seeds, batch, *shape = images.shape
    size = views.size
    if not can_fuse(views) or shape != [3, size, size]:  # the C function would read beyond the tensors
        raise ValueError(f"views: got {views} for images of shape {tuple(shape)}; must satisfy can_fuse")
    parameters = views.draw_stacked(2 * batch, generators)
    sources = torch.arange(seeds * batch).view(seeds, 1, batch).expand(-1, 2, -1).flatten()
    weights, leftmost = _sparse_table(size, views.recipe.interpolation)
    rows, columns = (parameters.boxes.extent - 1).add_(parameters.boxes.start, alpha=size).unbind(1)
    made = torch.empty(len(sources), size, size, 3)
    arguments = (
        images.contiguous(),
        sources,
        made,
        len(sources),
        size,
        weights.shape[2],
        weights,
        leftmost,
        rows.contiguous(),
        columns.add(parameters.flip, alpha=size**2),
        parameters.jitter.amounts.contiguous(),
        parameters.jitter.order.contiguous(),
        parameters.grey.contiguous(),
    )
    compiled()(*(each.data_ptr() if isinstance(each, Tensor) else each for each in arguments))
    made = made.permute(0, 3, 1, 2)
    if parameters.solarise is not None:
        made = solarise_where(made, parameters.solarise, views.recipe.solarise_threshold)
    return views.normalised(made).to(dtype)


@functools.cache
def _sparse_table(size: int, interpolation: str) -> tuple[Tensor, Tensor]:
    """The weights of `weights_table` that are not 0: `(2 size^2, size, taps)`, and the first pixel of each row."""
    table = weights_table(size, size, torch.device("cpu"), interpolation)
    taps = min(4, size)  # of a bicubic kernel that does not shrink
    leftmost = (table != 0).to(torch.uint8).argmax(dim=2).clamp_(max=size - taps)
    weights = table.gather(2, leftmost[:, :, None] + torch.arange(taps))
    return weights.contiguous(), leftmost.int()


@functools.cache
def compiled() -> Callable[..., None]:
    """The C function of this process, from the cache directory if it has one. Raises `NoCompilerError`."""
    number, pointer = ctypes.c_int64, ctypes.c_void_p
    function = _library().make_views
    function.restype = None
    function.argtypes = [pointer] * 3 + [number] * 3 + [pointer] * 7
    return function


def _library() -> ctypes.CDLL:
    command = [os.environ.get("CC", "cc"), *_FLAGS]
    key = hashlib.blake2b(digest_size=10)
    for part in (_SOURCE.read_text(), " ".join(command), processor_name()):
        key.update(part.encode())
    root = cache_root()
    kept = root / "compiled" / f"views-{key.hexdigest()}.so" if root else None
    if kept and kept.exists():
        return ctypes.CDLL(str(kept))
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "views.so"
        try:
            subprocess.run([*command, str(_SOURCE), "-o", str(made), "-lm"], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoCompilerError(f"{command[0]} cannot compile the views: {error}") from error
        if kept:
            with suppress(OSError):  # a cache that cannot be written
                replace_file(kept, made.read_bytes(), durable=False)
        return ctypes.CDLL(str(made))  # lasts as long as the process, also without its file
