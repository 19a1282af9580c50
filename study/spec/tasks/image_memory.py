"""The least memory of a trial on images, by the keys of the study file that cause it."""

import itertools
from collections import Counter

from trainables.config import ImagesTask
from trainables.datasets.loaded import DatasetInfo
from trainables.encoders.footprint import encoder_footprint

#: Bytes of a float32 number.
_FLOAT = 4

#: Numbers of each weight in training: itself, its gradient, and its momentum or the two moments of Adam.
_COPIES = {"sgd": 3, "lars": 3, "adam": 4, "adamw": 4}


def least_memory_of(task: ImagesTask, data: DatasetInfo, *, batch_size: str) -> dict[str, int]:
    """Bytes of a training step and of the features of all images, by the key and value that cause them, in words.

    `batch_size` is the key of the batch size. See `trainables.encoders.footprint`. For the user's own encoder, only
    the images of a step, the projections, and given hidden layers of the head count.
    """
    encoder, pairs = task.encoder, task.training.batch_size
    found = encoder_footprint(encoder, channels=data.channels, size=data.size)
    weights, kept, h = (found.weights, found.kept, found.h_dim) if found else (0, 0, 0)
    widths = (h, *encoder.hidden_widths(h))
    hidden, last = sum(a * b for a, b in itertools.pairwise(widths)), widths[-1]
    # Of each hidden layer, its output and that of its batch norm; the ReLU works in place.
    kept_by_head = sum(widths[1:]) * (2 if encoder.head_hidden_batch_norm else 1)
    # One copy more for the weights of the best epoch so far.
    copies = _COPIES[task.training.optimizer] + (task.training.epoch_split is not None)
    d = encoder.projection_dim
    number = 2 if task.training.precision == "bfloat16" else 4
    rows = data.n_train + data.n_val + data.n_test
    network = f"width: got {encoder.width}" if encoder.name == "small_conv" else f"name: got {encoder.name}"
    head = network if encoder.head_hidden is None else f"head_hidden: got {[*encoder.head_hidden]}"
    named = f"name: got {task.data.name} of {data.size} pixels"
    size = named if task.data.size is None else f"size: got {data.size}"
    parts = Counter({f"encoder.{network}": _FLOAT * (copies * weights + rows * h)})
    parts[f"encoder.{head}"] += _FLOAT * copies * hidden
    parts[f"encoder.projection_dim: got {d}"] += (
        _FLOAT * (copies * last * d + rows * d) + 2 * pairs * number * d
    )
    parts[f"{batch_size}: got {pairs}"] += 2 * pairs * number * (kept + h + kept_by_head)
    parts[f"data.{size}"] += 2 * pairs * _FLOAT * data.channels * data.size**2
    return dict(parts)
