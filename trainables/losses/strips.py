"""Square matrices in strips of rows, so that each stays in cache between its operations."""

from typing import NamedTuple

import torch

#: Rows of a strip. On a CPU about what keeps strip and operands in a core's L2 cache at a thousand points;
#: on an accelerator large, since each strip costs launches.
_CPU_ROWS = 256
_ACCELERATOR_ROWS = 4096


class Strip(NamedTuple):
    """Rows `start` to `stop` of an N x N matrix.

    Of a symmetric matrix only the columns before `stop` are computed: each entry left of `start` then stands
    for its mirror image too, which halves the work.
    """

    start: int
    stop: int


def fits_one_strip(rows: int, device: torch.device) -> bool:
    """Whether `strips` would give a single one."""
    return rows <= (_CPU_ROWS if device.type == "cpu" else _ACCELERATOR_ROWS)


def strips(rows: int, device: torch.device) -> list[Strip]:
    """Strips that cover `rows` rows; a single one for small matrices."""
    size = _CPU_ROWS if device.type == "cpu" else _ACCELERATOR_ROWS
    return [Strip(start, min(start + size, rows)) for start in range(0, rows, size)]
