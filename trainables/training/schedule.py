"""The learning-rate schedule: a peak from the batch-size rule, a linear warm-up, then a cosine decay to zero."""

import math

from trainables.config import TrainingConfig


def peak_learning_rate(config: TrainingConfig) -> float:
    """The base learning rate, scaled by the batch-size rule of the config."""
    ratio = config.batch_size / config.lr_reference_batch
    return config.lr * {"none": 1.0, "linear": ratio, "sqrt": math.sqrt(ratio)}[config.lr_rule]


def learning_rate_factor(step: int, total: int, warmup_fraction: float) -> float:
    """Fraction of the peak rate at `step` (from 0): linear warm-up, then a cosine to zero after the last step."""
    warmup = math.ceil(warmup_fraction * total)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))
