"""The learning-rate schedule: a peak from the batch-size rule, a linear warm-up, then a decay. Imports no torch."""

import math

from trainables.config import TrainingConfig


def peak_learning_rate(config: TrainingConfig) -> float:
    """The base learning rate, scaled by the batch-size rule of the config."""
    ratio = config.batch_size / config.lr_reference_batch
    return config.lr * {"none": 1.0, "linear": ratio, "sqrt": math.sqrt(ratio)}[config.lr_rule]


def learning_rate_factor(step: int, total: int, warmup: int = 0, shape: str = "cosine") -> float:
    """Fraction of the peak rate at `step` (from 0) of `total` steps.

    It rises linearly in the first `warmup` steps. Then it is `constant`, or falls by a `cosine` or in a `linear` way
    to zero after the last step, as torch's `CosineAnnealingLR` and `LinearLR` do. The steps may be epochs instead.
    """
    if step < warmup:
        return (step + 1) / warmup
    done, left = step - warmup, max(1, total - warmup)
    if shape == "constant":
        return 1.0
    if shape == "linear":
        return 1 - done / left
    return 0.5 * (1 + math.cos(math.pi * done / left))


def scheduled_factor(config: TrainingConfig, step: int, steps: int, images: int) -> float:
    """Fraction of the peak rate at `step` (from 0) of a training of `steps` steps on `images` images.

    By epoch, all steps of an epoch have one factor. The last epoch of a budget in steps or samples may be shorter.
    """
    unit = config.epoch_steps(images) if config.schedule_by == "epoch" else 1
    total = math.ceil(steps / unit)
    if config.warmup_epochs is None:
        warmup = math.ceil(config.warmup_fraction * total)
    else:
        warmup = config.warmup_epochs * config.epoch_steps(images) // unit
    return learning_rate_factor(step // unit, total, warmup, config.lr_schedule)


def check_warmup(config: TrainingConfig, steps: int, images: int) -> None:
    """Raise `ValueError` for a warm-up in epochs that is as long as the budget of `steps` steps, or longer."""
    an_epoch = config.epoch_steps(images)
    if config.warmup_epochs and config.warmup_epochs * an_epoch >= steps:
        raise ValueError(
            f"training.warmup_epochs: got {config.warmup_epochs}, must be below the budget: {steps} steps, which "
            f"are {steps / an_epoch:.6g} epochs of {an_epoch} steps at batch size {config.batch_size}"
        )
