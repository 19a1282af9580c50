"""Division of square matrices into strips of rows for the losses. A strip stays in cache between its operations."""

from typing import NamedTuple

import torch

#: Rows per strip. On a CPU, strip and operands fit approximately in a core's L2 cache at a thousand points. On an
#: accelerator strips are large, because each strip costs kernel launches.
_CPU_ROWS = 256
_ACCELERATOR_ROWS = 4096


class Strip(NamedTuple):
    """Rows `start` to `stop` (exclusive) of an N x N matrix.

    For a symmetric matrix, only the columns before `stop` are computed. Each entry in a column before `start` also
    represents its mirror image, which halves the work.
    """

    start: int
    stop: int


def fits_one_strip(rows: int, device: torch.device) -> bool:
    """Whether `strips` returns a single strip."""
    return rows <= (_CPU_ROWS if device.type == "cpu" else _ACCELERATOR_ROWS)


def strips(rows: int, device: torch.device) -> list[Strip]:
    """The strips that cover `rows` rows; a single strip for small matrices."""
    size = _CPU_ROWS if device.type == "cpu" else _ACCELERATOR_ROWS
    return [Strip(start, min(start + size, rows)) for start in range(0, rows, size)]
